//! Tests of `files`.

use super::*;
use std::cell::RefCell;

/// Sources whose answers all differ from the defaults, with a list of the calls.
#[derive(Default)]
struct Asked(RefCell<Vec<&'static str>>);

impl Asked {
    fn note<T>(&self, name: &'static str, answer: T) -> T {
        self.0.borrow_mut().push(name);
        answer
    }
}

impl Sources for Asked {
    fn read(&self, _: &Path) -> Result<Arc<[u8]>, String> {
        self.note("read", Err("read".to_owned()))
    }
    fn read_inside(&self, _: &Path, _: &Path) -> Result<Arc<[u8]>, String> {
        self.note("read_inside", Err("inside".to_owned()))
    }
    fn list(&self, _: &Path) -> Result<Vec<PathBuf>, String> {
        self.note("list", Ok(Vec::new()))
    }
    fn is_open_to_all(&self, _: &Path) -> bool {
        self.note("is_open_to_all", true)
    }
    fn serves(&self) -> bool {
        self.note("serves", false)
    }
    fn is_withheld(&self, _: &Path) -> bool {
        self.note("is_withheld", true)
    }
    fn own_secret(&self) -> Option<[u8; SECRET_LEN]> {
        self.note("own_secret", Some([7; SECRET_LEN]))
    }
    fn each(&self, _: usize, _: &(dyn Fn(usize) + Sync)) {
        self.note("each", ());
    }
}

/// The sources behind the memory answer every question, also those with a default answer.
#[test]
fn every_question_reaches_the_sources() {
    let asked = Asked::default();
    let once = FileReader::new(&asked).sources;
    let path = Path::new("secrets");
    for _ in 0..2 {
        assert_eq!(once.read(path).unwrap_err(), "read");
        assert_eq!(once.read_inside(path, path).unwrap_err(), "inside");
        assert!(once.list(path).is_ok_and(|list| list.is_empty()));
    }
    assert!(once.is_open_to_all(path) && once.is_withheld(path) && !once.serves());
    assert_eq!(once.own_secret(), Some([7; SECRET_LEN]));
    once.each(1, &|_| panic!("the sources run the work"));
    let asked = asked.0.into_inner();
    // Files and lists are asked for once.
    let expected =
        ["read", "read_inside", "list", "is_open_to_all", "is_withheld", "serves", "own_secret", "each"];
    assert_eq!(asked, expected);
    let methods = include_str!("../mod.rs").split_once("pub trait Sources {").expect("the trait").1;
    let methods = methods.split_once("\n}").expect("its end").0.matches("    fn ").count();
    assert_eq!(methods, expected.len(), "a new question stands here too");
}
