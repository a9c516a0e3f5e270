//! Tasks of the requests of one connection over HTTP/2. They end with the connection.

use crate::shared::counters::{CounterBlock, Dropped};
use hyper::rt::Executor;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinSet;

/// Tasks of a connection, ended on drop.
pub(super) struct Tasks(TaskExecutor);

/// Starts tasks.
#[derive(Clone)]
pub(super) struct TaskExecutor {
    running: Arc<Mutex<JoinSet<()>>>,
    block: Arc<CounterBlock>,
}

impl Tasks {
    /// No tasks yet.
    pub(super) fn new(block: Arc<CounterBlock>) -> Tasks {
        Tasks(TaskExecutor { running: Arc::default(), block })
    }

    /// Starts the tasks of the connection.
    pub(super) fn executor(&self) -> TaskExecutor {
        self.0.clone()
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        // A task may hold its executor, so the set is taken out of it.
        let mut running = mem::take(&mut *self.0.running.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.count_ended(&mut running);
    }
}

impl TaskExecutor {
    /// Takes the tasks that have ended out of the set, and counts those that have panicked.
    fn count_ended(&self, running: &mut JoinSet<()>) {
        while let Some(ended) = running.try_join_next() {
            if ended.is_err_and(|error| error.is_panic()) {
                self.block.dropped(Dropped::Panic, 1);
            }
        }
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for TaskExecutor {
    fn execute(&self, task: F) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        self.count_ended(&mut running);
        running.spawn(task);
    }
}
