//! Troubles: how each begins and ends, how it shows, and that it is over.

use super::world::World;
use std::fs;
use support::deployment::{PATIENCE, try_connect_from};
use support::program::{self, Process};

pub struct Trouble {
    pub name: &'static str,
    pub begin: fn(&World),
    /// It is told somewhere.
    pub shows: fn(&World) -> bool,
    pub end: fn(&World),
    /// Nothing tells it any more.
    pub is_over: fn(&World) -> bool,
}

fn notes(world: &World, words: &str) -> bool {
    world.page("/readyz").contains(words)
}

fn is_quiet(world: &World) -> bool {
    // What has ended stays an alarm for a while.
    let page = world.page("/readyz");
    !page.is_empty() && page.lines().filter(|line| !line.contains("and was restarted")).count() <= 1
}

fn has_event(world: &World, kind: &str) -> bool {
    world.tells(kind)
}

fn fault(world: &World, body: &str) {
    assert!(world.ask("POST", "/hooks", body).is_some(), "the control socket answers");
}

fn override_of_none(world: &World, is_unsaved: bool) {
    let body = format!("{{\"pops\":[\"p2\"],\"weight\":100,\"reason\":\"chaos\",\"unsaved\":{is_unsaved}}}");
    world.ask("POST", "/pops/override", &body);
}

fn state_fault(world: &World, kind: &str) {
    world.deployment.write("state/.fault", kind);
}

fn mend_state(world: &World) {
    let _ = fs::remove_file(world.deployment.path("state/.fault"));
}

fn ends(world: &World, task: &str) -> bool {
    world.tells(&format!("meridian_task_ends_total{{task=\"{task}\"}}"))
}

/// Every trouble. The log that is closed is closed for good, so that all others meet it too.
pub static TROUBLES: &[Trouble] = &[
    Trouble {
        name: "a log that nobody reads any more",
        begin: |world| {
            world.close_log();
            override_of_none(world, false);
        },
        shows: |world| world.metric("meridian_log_lines_dropped_total").is_some_and(|lines| lines > 0.0),
        end: |_| {},
        is_over: is_quiet,
    },
    Trouble {
        name: "a state disk that hangs",
        begin: |world| {
            world.deployment.write("state/overrides.yaml.hang", "");
            override_of_none(world, true);
        },
        shows: |world| notes(world, "are not saved") || notes(world, "does not answer"),
        end: |world| drop(fs::remove_file(world.deployment.path("state/overrides.yaml.hang"))),
        is_over: is_quiet,
    },
    Trouble {
        name: "a state disk that is full",
        begin: |world| state_fault(world, "full"),
        shows: |world| notes(world, "is full") && world.metric("meridian_state_folder_ok") == Some(0.0),
        end: mend_state,
        is_over: is_quiet,
    },
    Trouble {
        name: "a state disk that is read-only",
        begin: |world| state_fault(world, "read-only"),
        shows: |world| notes(world, "is read-only") && world.metric("meridian_state_folder_ok") == Some(0.0),
        end: mend_state,
        is_over: is_quiet,
    },
    Trouble {
        name: "a state folder that is removed",
        begin: |world| drop(fs::remove_dir_all(world.deployment.path("state"))),
        shows: |world| has_event(world, "state_folder"),
        end: |_| {},
        is_over: is_quiet,
    },
    Trouble {
        name: "silent connections that take every descriptor",
        begin: |world| {
            let connections = (0..600).filter_map(|n| try_connect_from(n as u8 % 16, world.dns).ok());
            world.silent.borrow_mut().extend(connections);
        },
        shows: |world| world.metric("meridian_descriptors{use=\"tcp\"}").is_some_and(|held| held > 100.0),
        end: |world| world.silent.borrow_mut().clear(),
        is_over: is_quiet,
    },
    Trouble {
        name: "a wall clock that is set forward",
        begin: |world| fault(world, "{\"clock_shift_secs\":86400}"),
        shows: |world| has_event(world, "clock_stepped"),
        end: |_| {},
        is_over: is_quiet,
    },
    Trouble {
        name: "a wall clock that is set back",
        begin: |world| fault(world, "{\"clock_shift_secs\":-86400}"),
        shows: |world| has_event(world, "clock_stepped"),
        end: |world| fault(world, "{\"clock_shift_secs\":0}"),
        is_over: is_quiet,
    },
    Trouble {
        name: "a writer that ends",
        begin: |world| fault(world, "{\"end\":\"writer\"}"),
        shows: |world| ends(world, "writer") && has_event(world, "task_ended"),
        end: |_| {},
        is_over: is_quiet,
    },
    Trouble {
        name: "a prober that ends",
        begin: |world| fault(world, "{\"end\":\"checks\"}"),
        shows: |world| ends(world, "checks") && has_event(world, "task_ended"),
        end: |_| {},
        is_over: is_quiet,
    },
    Trouble {
        name: "a control listener that ends",
        begin: |world| fault(world, "{\"end\":\"control\"}"),
        shows: |world| ends(world, "control"),
        end: |_| {},
        is_over: is_quiet,
    },
    Trouble {
        name: "a zone file that hangs",
        begin: |world| {
            world.deployment.write("zones/cdn.example.yaml.hang", "");
            let reload = program::meridian_over(&world.deployment.config(), &["reload"]);
            RELOAD.lock().expect("whole").push(Process::start(reload));
        },
        shows: |world| world.page("/reload").contains("reading "),
        end: |world| {
            world.ask("DELETE", "/reload", "");
            let _ = fs::remove_file(world.deployment.path("zones/cdn.example.yaml.hang"));
            for mut reload in RELOAD.lock().expect("whole").drain(..) {
                reload.ends(PATIENCE);
            }
            // The files are taken over as though nothing had been.
            world.ask("POST", "/reload", "");
        },
        is_over: |world| world.metric("meridian_last_reload_ok") == Some(1.0),
    },
];

static RELOAD: std::sync::Mutex<Vec<Process>> = std::sync::Mutex::new(Vec::new());
