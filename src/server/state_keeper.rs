//! The keeper of the state folder: looks at it now and then, mends it, and reports to the writer.
//!
//! A look runs on a thread of its own. While the disk does not answer there is no second one, and
//! the alarm says since when.

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

/// Looks at a state folder and at the control socket until the server stops.
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
            Err(error) => StateLook::trouble(format!("no thread can look at it: {error}")),
        };
        // A writer that is too busy hears of the next look.
        let _ = command_sender(Command::StateFolder { look: told });
        tokio::time::sleep(Duration::from_secs(hooks::secs("STATE_LOOK", STATE_LOOK_SECS))).await;
    }
}

/// Waits for a look, and says so when it takes long.
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
        StateLook::trouble("the look at the state folder ended by a fault of the program".to_owned())
    })
}
