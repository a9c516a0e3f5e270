//! The keeper of the state folder: checks and repairs the state folder at intervals, and reports to
//! the writer.
//!
//! A check runs on a thread of its own. While the disk does not answer, no second check begins, so
//! that the alarm about the disk keeps the time of its first report.

use crate::limits::{STATE_ANSWER_SECS, STATE_LOOK_SECS};
use crate::reload::watch::Watch;
use crate::server::attempt::Attempt;
use crate::server::control_socket::ControlSocket;
use crate::shared::command::{Command, CommandSender, StateLook};
use crate::state::folder::StateFolder;
use crate::sys::clock::epoch_secs;
use crate::sys::hooks;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Checks the state folder and the control socket until the server stops.
pub(crate) async fn keep(
    folder: Arc<Mutex<StateFolder>>,
    control: Arc<ControlSocket>,
    command_sender: CommandSender,
    stop: CancellationToken,
) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = look_again_and_again(folder, control, command_sender) => {}
    }
}

async fn look_again_and_again(
    folder: Arc<Mutex<StateFolder>>,
    control: Arc<ControlSocket>,
    command_sender: CommandSender,
) {
    loop {
        let (folder, control) = (Arc::clone(&folder), Arc::clone(&control));
        let look = move |_: &Watch| {
            let mut look = folder.lock().unwrap_or_else(PoisonError::into_inner).look(epoch_secs());
            match control.look() {
                Ok(made) => look.control_made_anew = made,
                Err(fault) => look.fault = look.fault.or(Some(fault)),
            }
            look
        };
        let told = match Attempt::begin("state-look", look) {
            Ok(attempt) => wait(attempt, &command_sender).await,
            Err(error) => {
                StateLook::trouble(format!("no thread can be started to check the state folder: {error}"))
            }
        };
        // If the command queue is full, the next check reports again.
        let _ = command_sender(Command::StateFolder { look: told });
        tokio::time::sleep(Duration::from_secs(hooks::secs("STATE_LOOK", STATE_LOOK_SECS))).await;
    }
}

/// Waits for a check, and reports a disk that does not answer in time.
async fn wait(mut attempt: Attempt<StateLook>, command_sender: &CommandSender) -> StateLook {
    let patience = Duration::from_secs(hooks::secs("STATE_ANSWER", STATE_ANSWER_SECS));
    let ended = match tokio::time::timeout(patience, attempt.wait()).await {
        Ok(ended) => ended,
        Err(_) => {
            let look = StateLook::trouble("the disk of the state folder does not answer".to_owned());
            let _ = command_sender(Command::StateFolder { look });
            attempt.wait().await
        }
    };
    ended.unwrap_or_else(|| {
        StateLook::trouble("the check of the state folder ended by a fault of the program".to_owned())
    })
}
