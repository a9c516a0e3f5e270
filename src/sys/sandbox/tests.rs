//! Threads in the sandbox do what they may, and nothing else.

use super::*;
use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;

/// Runs `work` on a thread of its own, in a sandbox with a folder to write to. The sandbox ends
/// with the thread.
fn inside<T: Send>(runs_programs: bool, work: impl FnOnce(&Path) -> T + Send) -> (InForce, T) {
    let folder = tempfile::tempdir().expect("the disk has room");
    let bounds = Bounds {
        folders: vec![folder.path().to_owned(), "/nonexistent/folder".into()],
        removes: Vec::new(),
        files: vec!["/dev/null".into()],
        runs_programs,
    };
    let entered = || {
        let in_force = enter(&bounds);
        assert_eq!(in_force.faults, [""; 0]);
        (in_force, work(folder.path()))
    };
    std::thread::scope(|scope| scope.spawn(entered).join().expect("no panic"))
}

/// What a test needs of the kernel, or a line that it is skipped.
fn has(is_there: bool, what: &str) -> bool {
    if !is_there {
        eprintln!("skipped: this kernel has no {what}");
    }
    is_there
}

/// Files are written in the folder of the sandbox alone, and read everywhere; a TCP port is not
/// opened, and connections are made as before.
#[test]
fn files_and_ports() {
    let outside = tempfile::tempdir().expect("the disk has room");
    let path = outside.path().join("file");
    fs::write(&path, "text").expect("writable outside the sandbox");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let at = listener.local_addr().expect("bound");
    let (in_force, done) = inside(true, |folder| {
        fs::write(folder.join("a"), "text").expect("writable");
        fs::rename(folder.join("a"), folder.join("b")).expect("writable");
        fs::remove_file(folder.join("b")).expect("writable");
        fs::write("/dev/null", "text").expect("a device of the list");
        assert_eq!(fs::read_to_string(&path).expect("readable"), "text");
        TcpStream::connect(at).expect("connections are made");
        UdpSocket::bind("127.0.0.1:0").expect("UDP is not limited");
        let written = fs::write(&path, "").map_err(|error| error.kind());
        let made = fs::write(outside.path().join("other"), "").map_err(|error| error.kind());
        let removed = fs::remove_file(&path).map_err(|error| error.kind());
        let opened = TcpListener::bind("127.0.0.1:0").map(drop).map_err(|error| error.kind());
        ([written, made, removed], opened)
    });
    if has(in_force.landlock != Landlock::None, "Landlock") {
        assert_eq!(done.0, [Err(ErrorKind::PermissionDenied); 3]);
        assert_eq!(fs::read_to_string(&path).expect("still there"), "text");
    }
    if has(in_force.landlock == Landlock::Full, "complete Landlock") {
        assert_eq!(done.1, Err(ErrorKind::PermissionDenied));
    }
    fs::write(&path, "other").expect("the sandbox was the thread's alone");
}

/// Files of a folder for removals are removed, and not written.
#[test]
fn removals() {
    let folder = tempfile::tempdir().expect("the disk has room");
    let (note, other) = (folder.path().join("note"), folder.path().join("other"));
    for path in [&note, &other] {
        fs::write(path, "text").expect("writable outside the sandbox");
    }
    let bounds = Bounds { removes: vec![folder.path().to_owned()], runs_programs: true, ..Bounds::default() };
    let work = || {
        let in_force = enter(&bounds);
        (in_force, fs::remove_file(&note).is_ok(), fs::write(&other, "new").is_err())
    };
    let done = std::thread::scope(|scope| scope.spawn(work).join().expect("no panic"));
    assert!(done.1 && !note.exists());
    if has(done.0.landlock != Landlock::None, "Landlock") {
        assert!(done.2);
    }
}

/// Programs run if a probe has one, and are limited as the thread is; else none is started.
#[test]
fn programs() {
    let outside = tempfile::tempdir().expect("the disk has room");
    let path = outside.path().join("made");
    let run = |script: &str| Command::new("/bin/sh").args(["-c", script]).env("AT", &path).status();
    let (in_force, (plain, writes)) = inside(true, |_| (run("exit 7"), run("> \"$AT\"")));
    assert_eq!(plain.expect("programs run").code(), Some(7));
    if has(in_force.landlock != Landlock::None, "Landlock") {
        assert!(!writes.expect("programs run").success() && !path.exists());
    }
    let (in_force, refused) = inside(false, |_| run("exit 7").map_err(|error| error.kind()));
    if has(in_force.landlock != Landlock::None || in_force.filter, "Landlock and filter") {
        assert_eq!(refused.map(drop), Err(ErrorKind::PermissionDenied));
    }
}

/// Result of a call, as an error number; 0 if it did what it was asked.
fn number(result: libc::c_int) -> i32 {
    if result == -1 { std::io::Error::last_os_error().raw_os_error().unwrap_or_default() } else { 0 }
}

/// Calls that a name server does not need are refused, and change nothing.
#[test]
fn system_calls() {
    let (in_force, refused) = inside(true, |_| {
        // SAFETY: takes numbers and no pointer; a socket that opens is closed with the process.
        let socket = |family| number(unsafe { libc::socket(family, libc::SOCK_DGRAM, 0) });
        // SAFETY: as above.
        let multipath =
            number(unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_MPTCP) });
        // SAFETY: takes a number and no pointer.
        let unshared = number(unsafe { libc::unshare(libc::CLONE_NEWUSER) });
        // SAFETY: takes numbers, and a null pointer that no request of 99 reads.
        let traced = number(unsafe { libc::ptrace(99, 0, 0, 0) } as libc::c_int);
        let (all, size) = (libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC, 4_096);
        let (own, none) = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, std::ptr::null_mut());
        // SAFETY: asks for pages wherever the kernel wants, and uses none of them.
        let page = unsafe { libc::mmap(none, size, all, own, -1, 0) };
        let mapped = if page == libc::MAP_FAILED { number(-1) } else { 0 };
        assert_eq!([libc::AF_UNIX, libc::AF_INET, libc::AF_INET6].map(socket), [0; 3]);
        std::thread::spawn(|| ()).join().expect("threads start as before");
        [socket(libc::AF_NETLINK), socket(libc::AF_PACKET), multipath, unshared, traced, mapped]
    });
    if has(in_force.filter, "filter of system calls") {
        assert_eq!(refused, [libc::EPERM; 6]);
    }
}
