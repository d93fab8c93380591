//! Stands between a client and a server and is as far away as a network: everything arrives later, nothing waits in line.

use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, sleep, sleep_until};

/// Starts a proxy before `server` (`host:port`), and returns its port. What is sent takes half of `round_trip` in either
/// direction, and so does the end of what is sent; connecting takes a whole one, as TCP does.
pub async fn far(server: String, round_trip: Duration) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = server.clone();
            tokio::spawn(async move {
                sleep(round_trip).await;
                let Ok(server) = TcpStream::connect(&server).await else { return };
                if client.set_nodelay(true).and(server.set_nodelay(true)).is_err() {
                    return;
                }
                let ((client_reads, client_writes), (server_reads, server_writes)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(carry(client_reads, server_writes, round_trip / 2));
                tokio::spawn(carry(server_reads, client_writes, round_trip / 2));
            });
        }
    });
    Ok(port)
}

/// Carries every piece from one to the other so that it arrives `delay` after it was sent. Pieces are under way at the
/// same time, like those on a cable: `delay` is no limit on how many of them arrive in a second.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (under_way, mut arriving) = unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((arrival, piece)) = arriving.recv().await {
            sleep_until(arrival).await;
            let written = if piece.is_empty() { to.shutdown().await } else { to.write_all(&piece).await };
            if written.is_err() {
                return;
            }
        }
    });
    let mut buffer = vec![0; 64 << 10];
    // The end, a piece without content, is carried like any other; and a connection that breaks ends as well.
    while let Ok(length) = from.read(&mut buffer).await {
        let piece = (Instant::now() + delay, buffer[..length].to_vec());
        if under_way.send(piece).is_err() || length == 0 {
            return;
        }
    }
}
