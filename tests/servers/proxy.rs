//! Stand-ins on the loopback interface: a proxy that writes down what a client sends, and servers that misbehave.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// The types of the messages that clients sent, in order; `S` is the start-up message.
pub type Messages = Arc<Mutex<Vec<char>>>;

/// A proxy before the server at `upstream`, and its port.
pub async fn counting(upstream: String) -> (u16, Messages) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let messages = Messages::default();
    let seen = messages.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (client_read, mut client_write) = client.into_split();
            let (mut server_read, server_write) = TcpStream::connect(&upstream).await.unwrap().into_split();
            tokio::spawn(async move { tokio::io::copy(&mut server_read, &mut client_write).await });
            tokio::spawn(forward(client_read, server_write, seen.clone()));
        }
    });
    (port, messages)
}

async fn forward(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, seen: Messages) {
    let mut first = true;
    loop {
        let mut message = Vec::new();
        if !first {
            let Ok(kind) = client.read_u8().await else { return };
            message.push(kind);
        }
        let Ok(length) = client.read_u32().await else { return };
        message.extend(length.to_be_bytes());
        let start = message.len();
        message.resize(start + length as usize - 4, 0);
        client.read_exact(&mut message[start..]).await.unwrap();
        seen.lock().unwrap().push(if first { 'S' } else { char::from(message[0]) });
        first = false;
        server.write_all(&message).await.unwrap();
    }
}

/// A proxy before the server at `upstream` that passes on so many bytes of its answers, and then breaks the connection
/// off so that the client is told of it (`reset`) or only sees an end.
pub async fn cutting(upstream: String, bytes: u64, reset: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let upstream = upstream.clone();
            tokio::spawn(async move {
                if reset {
                    client.set_zero_linger().unwrap();
                }
                let (mut client_read, mut client_write) = client.into_split();
                let (server_read, mut server_write) = TcpStream::connect(&upstream).await.unwrap().into_split();
                let asking = tokio::spawn(async move { tokio::io::copy(&mut client_read, &mut server_write).await });
                let _ = tokio::io::copy(&mut server_read.take(bytes), &mut client_write).await;
                asking.abort();
                // The other half of the client's stream goes with the task.
                let _ = asking.await;
            });
        }
    });
    port
}

/// A server that says `answer` to whatever comes first, and then closes or says nothing more.
pub async fn saying(answer: impl Into<Arc<[u8]>>, close: bool) -> u16 {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = [0; 512];
                let _ = client.read(&mut request).await;
                let _ = client.write_all(&answer).await;
                if !close {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    port
}

/// A server that speaks first, as MySQL does: it says `answer` to whoever comes, and closes.
pub async fn greeting(answer: impl Into<Arc<[u8]>>) -> u16 {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let _ = client.write_all(&answer).await;
        }
    });
    port
}
