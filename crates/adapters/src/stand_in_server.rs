//! A server on this machine alone, which gives a stand-in for a service an address.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use dintero::{Method, NoResponse, Request, Secret};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Bytes of a request's body at most.
const BODY_BYTES_MAX: usize = 32 << 20;

/// Answers a request; on an error the connection is closed without an answer.
pub type Handler = Arc<dyn Fn(&Request) -> Result<dintero::Response, NoResponse> + Send + Sync>;

/// A server that only this machine can reach.
#[derive(Debug)]
pub struct Loopback {
    listener: TcpListener,
    address: SocketAddr,
}

impl Loopback {
    /// Listens on 127.0.0.1; port 0 takes any free port.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn bind(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        Ok(Loopback { listener, address })
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers requests until it is dropped.
    pub async fn serve(self, handler: Handler) -> Infallible {
        loop {
            let Ok((stream, _)) = self.listener.accept().await else {
                // Usually there are no free file descriptors; a moment later there may be some.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            };
            let (handler, url) = (Arc::clone(&handler), self.url());
            let answer = service_fn(move |request| answered(request, Arc::clone(&handler), url.clone()));
            tokio::spawn(async move {
                // The caller notices a broken connection.
                let _ = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    }
}

async fn answered(
    request: hyper::Request<Incoming>,
    handler: Handler,
    url: String,
) -> Result<Response<Full<Bytes>>, NoResponse> {
    let request = match read(request, &url).await {
        Ok(request) => request,
        Err(status) => return Ok(response(status, None, Bytes::new())),
    };
    let dintero::Response { status, retry_after, body } = handler(&request)?;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Ok(response(status, retry_after.map(|after| after.as_secs()), body.into()))
}

async fn read(request: hyper::Request<Incoming>, url: &str) -> Result<Request, StatusCode> {
    let (head, body) = request.into_parts();
    let text = |name| head.headers.get(name).map(HeaderValue::to_str).transpose().map_err(|_| StatusCode::BAD_REQUEST);
    // A web page can make a browser send requests here under another host name.
    let host = text(HOST)?.unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !["127.0.0.1", "localhost"].contains(&name) {
        return Err(StatusCode::FORBIDDEN);
    }
    let method = match head.method {
        hyper::Method::GET => Method::Get,
        hyper::Method::POST => Method::Post,
        _ => return Err(StatusCode::METHOD_NOT_ALLOWED),
    };
    let authorization = Secret::new(text(AUTHORIZATION)?.unwrap_or_default());
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{url}{path}");
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let body = String::from_utf8(body.to_bytes().into()).map_err(|_| StatusCode::BAD_REQUEST)?;
    let body = (!body.is_empty()).then_some(body);
    Ok(Request { method, url, authorization, body, not_after: None })
}

fn response(status: StatusCode, retry_after: Option<i64>, body: Bytes) -> Response<Full<Bytes>> {
    let kind = if body.starts_with(b"<") { "text/html" } else { "application/json" };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
