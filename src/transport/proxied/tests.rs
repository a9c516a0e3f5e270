//! Tests of `proxied`.

use super::*;
use crate::answer::Transport;
use crate::shared::counters::{Counters, Totals};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;

/// A header with TLVs, from 192.0.2.1, and a message behind it.
const HEADER: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x11\xc0\0\x02\x01\xc6\x33\x64\x07\xdc\x04\0\x35\x04\0\x02ab";
const MESSAGE: &[u8] = b"\0\x02hi";

fn block() -> Arc<CounterBlock> {
    Arc::new(CounterBlock::multi_writer(Transport::Tcp, 0))
}

fn totals(block: &Arc<CounterBlock>) -> Totals {
    Counters::new(vec![Arc::clone(block)], Arc::default()).fold(Transport::Tcp)
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(test)
}

/// However the octets are cut, the header is read, and what follows stays in the stream.
#[test]
fn no_octet_behind_the_header_is_read() {
    let octets = [HEADER, MESSAGE].concat();
    for step in 1..=octets.len() {
        let (mut ours, mut theirs) = tokio::io::duplex(256);
        let block = block();
        let client = run(async {
            let write = async {
                for piece in octets.chunks(step) {
                    theirs.write_all(piece).await.expect("room");
                    tokio::task::yield_now().await;
                }
            };
            let read = async {
                let client = client(&mut ours, &block).await;
                let mut rest = [0; MESSAGE.len()];
                ours.read_exact(&mut rest).await.expect("the message");
                assert_eq!(rest, MESSAGE, "pieces of {step}");
                client
            };
            tokio::join!(write, read).1
        });
        assert_eq!(client, Ok(Some([192, 0, 2, 1].into())), "pieces of {step}");
        assert_eq!(totals(&block).proxy_headers, 1);
    }
}

/// A stream that ends within the header is counted, and one that ends before it is not.
#[test]
fn streams_that_end() {
    for len in 0..HEADER.len() {
        let (block, mut octets) = (block(), &HEADER[..len]);
        assert_eq!(run(client(&mut octets, &block)), Err(()), "{len}");
        let reason = match len {
            0 => None,
            1..12 => Some(Dropped::ProxyMissing),
            _ => Some(Dropped::ProxyLength),
        };
        for each in Dropped::ALL {
            let expected = u64::from(reason == Some(*each));
            assert_eq!(totals(&block).dropped(*each), expected, "{len}: {each:?}");
        }
    }
}
