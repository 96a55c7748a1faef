//! What reaches in: servers that hand requests to whoever answers them.

pub mod http;
