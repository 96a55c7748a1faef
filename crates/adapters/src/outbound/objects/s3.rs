//! Objects in S3: one bucket for each first part of a key, all of them versioned.

use std::error::Error;
use std::io::Write;
use std::path::Path;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_sdk_s3::primitives::{ByteStream, DateTime, Length};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, EncodingType, ServerSideEncryption};
use jiff::Timestamp;
use store::keys::Key;
use store::{ListedVersion, ObjectMeta, Objects, PortError, PortErrorKind, PutNew, VersionPage};
use tokio::time::timeout;

use crate::outbound::aws::{PIECE, answered, failed, form_decoded};

/// A file goes up in parts of this size when it has more bytes.
const PART_BYTES: u64 = 16 << 20;

/// Buckets `<prefix>-landing`, `<prefix>-archive` and so on.
#[derive(Debug)]
pub struct S3 {
    client: Client,
    prefix: String,
    /// The key that new objects are encrypted with; the bucket's own when `None`.
    kms_key: Option<String>,
}

/// A download that ended before the object did.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
struct Broken {
    why: &'static str,
    #[source]
    cause: Box<dyn Error + Send + Sync>,
}

/// The condition of a put.
#[derive(Debug, Clone)]
enum Condition {
    None,
    Absent,
    ETag(String),
}

impl Condition {
    fn if_match(&self) -> Option<String> {
        if let Condition::ETag(tag) = self { Some(tag.clone()) } else { None }
    }

    fn if_none_match(&self) -> Option<String> {
        matches!(self, Condition::Absent).then(|| "*".to_owned())
    }
}

/// Two puts under one condition at the same time: S3 asks the later one to be sent again.
#[derive(Debug)]
struct SentAgain;

impl ClassifyRetry for SentAgain {
    fn classify_retry(&self, context: &aws_sdk_s3::config::interceptors::InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err).and_then(|error| error.as_operation_error());
        let conflicts = error
            .and_then(|error| error.downcast_ref::<PutObjectError>())
            .is_some_and(|error| error.code() == Some("ConditionalRequestConflict"));
        if conflicts { RetryAction::transient_error() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "conditional puts at the same time"
    }
}

impl S3 {
    /// The buckets whose names begin with `prefix`.
    pub fn new(config: &SdkConfig, prefix: &str, kms_key: Option<String>) -> Self {
        // With the bucket in the path a stand-in on this machine needs no names of hosts.
        let local = config.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(config).retry_classifier(SentAgain).force_path_style(local);
        S3 { client: Client::from_conf(config.build()), prefix: prefix.to_owned(), kms_key }
    }

    /// Bucket and key of an object, or of all whose keys begin alike.
    fn place(&self, key: &str) -> Result<(String, String), PortError> {
        match key.split_once('/') {
            Some((part @ ("landing" | "archive" | "lake" | "reports" | "mirror" | "mail"), rest)) => {
                Ok((format!("{}-{part}", self.prefix), rest.to_owned()))
            }
            _ => Err(PortError::new(PortErrorKind::Refused, format!("Cannot find {key:?}"), "there is no such bucket")),
        }
    }

    fn encryption(&self) -> Option<ServerSideEncryption> {
        self.kms_key.as_ref().map(|_| ServerSideEncryption::AwsKms)
    }

    async fn put(
        &self,
        key: &Key,
        body: ByteStream,
        size_bytes: u64,
        condition: &Condition,
    ) -> Result<PutNew, PortError> {
        let (bucket, name) = self.place(&key.to_string())?;
        let put = self
            .client
            .put_object()
            .bucket(bucket)
            .key(name)
            .body(body)
            .set_if_match(condition.if_match())
            .set_if_none_match(condition.if_none_match())
            .set_server_side_encryption(self.encryption())
            .set_ssekms_key_id(self.kms_key.clone());
        match put.send().await {
            Ok(put) => Ok(PutNew::Created(meta(key, put.version_id, size_bytes)?)),
            Err(error) if is_another(answered(&error)) => Ok(PutNew::Exists),
            Err(error) => Err(failed(format!("Cannot put {key}"), &error)),
        }
    }

    async fn put_file(&self, key: &Key, file: &Path, condition: &Condition) -> Result<PutNew, PortError> {
        let size = std::fs::metadata(file).map(|metadata| metadata.len()).map_err(|error| unreadable(key, error))?;
        if size > PART_BYTES {
            return self.put_parts(key, file, size, condition).await;
        }
        let body = ByteStream::from_path(file).await.map_err(|error| unreadable(key, error))?;
        self.put(key, body, size, condition).await
    }

    /// Puts a large file part by part; the condition is held against at the end, when all of it is there.
    async fn put_parts(&self, key: &Key, file: &Path, size: u64, condition: &Condition) -> Result<PutNew, PortError> {
        let (bucket, name) = self.place(&key.to_string())?;
        let what = format!("Cannot put {key}");
        let begin = self
            .client
            .create_multipart_upload()
            .bucket(&bucket)
            .key(&name)
            .set_server_side_encryption(self.encryption())
            .set_ssekms_key_id(self.kms_key.clone());
        let begun = begin.send().await.map_err(|error| failed(&what, &error))?;
        let id = begun.upload_id.unwrap_or_default();
        let done = self.put_and_complete(key, file, size, condition, &id).await;
        if !matches!(done, Ok(PutNew::Created(_))) {
            // Parts without an end are swept up by the bucket's own rule where this fails too.
            let _ = self.client.abort_multipart_upload().bucket(bucket).key(name).upload_id(id).send().await;
        }
        done
    }

    async fn put_and_complete(
        &self,
        key: &Key,
        file: &Path,
        size: u64,
        condition: &Condition,
        id: &str,
    ) -> Result<PutNew, PortError> {
        let (bucket, name) = self.place(&key.to_string())?;
        let what = format!("Cannot put {key}");
        let mut parts = Vec::new();
        for number in 0..size.div_ceil(PART_BYTES) {
            let offset = number * PART_BYTES;
            let length = Length::Exact(PART_BYTES.min(size - offset));
            let body = ByteStream::read_from().path(file).offset(offset).length(length).build().await;
            let part_number = i32::try_from(number + 1).unwrap_or(i32::MAX);
            let put = self
                .client
                .upload_part()
                .bucket(&bucket)
                .key(&name)
                .upload_id(id)
                .part_number(part_number)
                .body(body.map_err(|error| unreadable(key, error))?);
            let put = put.send().await.map_err(|error| failed(&what, &error))?;
            let part = CompletedPart::builder().part_number(part_number).set_e_tag(put.e_tag);
            parts.push(part.set_checksum_crc32(put.checksum_crc32).build());
        }
        let complete = self
            .client
            .complete_multipart_upload()
            .bucket(bucket)
            .key(name)
            .upload_id(id)
            .set_if_match(condition.if_match())
            .set_if_none_match(condition.if_none_match())
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build());
        match complete.send().await {
            Ok(put) => Ok(PutNew::Created(meta(key, put.version_id, size)?)),
            Err(error) if is_another(answered(&error)) => Ok(PutNew::Exists),
            Err(error) => Err(failed(what, &error)),
        }
    }
}

/// Whether a condition failed because another object is there, or none is.
fn is_another(answer: Option<(&str, u16)>) -> bool {
    matches!(answer, Some(("PreconditionFailed", _) | (_, 412) | ("NoSuchKey", 404)))
}

fn unreadable(key: &Key, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::new(PortErrorKind::Unavailable, format!("Cannot put {key}"), error)
}

/// The object that is there now. A bucket without versions would lose reports and is refused.
fn meta(key: &Key, version: Option<String>, size_bytes: u64) -> Result<ObjectMeta, PortError> {
    match version {
        Some(version) if version != "null" => Ok(ObjectMeta { key: key.to_string(), version, size_bytes }),
        _ => {
            let why = "found no version, expected a bucket that is versioned. Switch versioning on";
            Err(PortError::new(PortErrorKind::Refused, format!("Cannot use {key}"), why))
        }
    }
}

fn timestamp(at: Option<&DateTime>) -> Option<Timestamp> {
    at.and_then(|at| Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok())
}

#[async_trait]
impl Objects for S3 {
    async fn head(&self, key: &Key) -> Result<Option<ObjectMeta>, PortError> {
        let (bucket, name) = self.place(&key.to_string())?;
        match self.client.head_object().bucket(bucket).key(name).send().await {
            Ok(head) => {
                let size = u64::try_from(head.content_length.unwrap_or(0)).unwrap_or(0);
                meta(key, head.version_id, size).map(Some)
            }
            Err(error) if matches!(answered(&error), Some(("NotFound" | "NoSuchKey", _))) => Ok(None),
            Err(error) => Err(failed(format!("Cannot look at {key}"), &error)),
        }
    }

    async fn fetch(&self, key: &Key, version: &str, into: &mut (dyn Write + Send)) -> Result<u64, PortError> {
        let what = format!("Cannot get {key}");
        let gone = || PortError::new(PortErrorKind::NotFound, what.clone(), "no such object or version");
        if version.is_empty() {
            return Err(gone());
        }
        let (bucket, name) = self.place(&key.to_string())?;
        let mut body = match self.client.get_object().bucket(bucket).key(name).version_id(version).send().await {
            Ok(got) => got.body,
            // An id that is no version's, and the mark that a deletion leaves.
            Err(error) if matches!(answered(&error), Some(("InvalidArgument" | "MethodNotAllowed", _) | (_, 405))) => {
                return Err(gone());
            }
            Err(error) => return Err(failed(what, &error)),
        };
        let broken = |why, cause| PortError::new(PortErrorKind::Unavailable, what.clone(), Broken { why, cause });
        let mut size = 0;
        loop {
            let piece = timeout(PIECE, body.next()).await;
            let piece =
                piece.map_err(|cause| broken("the next piece of the object did not come in time", cause.into()))?;
            let Some(piece) = piece else { break };
            let piece = piece.map_err(|cause| broken("the object was cut off", cause.into()))?;
            into.write_all(&piece)
                .map_err(|error| PortError::new(PortErrorKind::Unavailable, format!("Cannot copy {key}"), error))?;
            size += piece.len() as u64;
        }
        Ok(size)
    }

    async fn upload(&self, key: &Key, file: &Path) -> Result<ObjectMeta, PortError> {
        match self.put_file(key, file, &Condition::None).await? {
            PutNew::Created(meta) => Ok(meta),
            PutNew::Exists => Err(PortError::new(
                PortErrorKind::Refused,
                format!("Cannot put {key}"),
                "a condition failed that was not asked for",
            )),
        }
    }

    async fn upload_if(&self, key: &Key, file: &Path, before: Option<&ObjectMeta>) -> Result<PutNew, PortError> {
        let Some(before) = before else { return self.put_file(key, file, &Condition::Absent).await };
        // S3 compares what the content is and not its version, so that the version's content is asked for first.
        let (bucket, name) = self.place(&key.to_string())?;
        let seen = self.client.head_object().bucket(bucket).key(name).version_id(&before.version).send().await;
        let tag = match seen {
            Ok(seen) => seen.e_tag,
            Err(error) if answered(&error).is_some_and(|(_, status)| matches!(status, 400 | 404 | 405)) => None,
            Err(error) => return Err(failed(format!("Cannot look at {key}"), &error)),
        };
        let Some(tag) = tag else { return Ok(PutNew::Exists) };
        self.put_file(key, file, &Condition::ETag(tag)).await
    }

    async fn versions(&self, prefix: &str, cursor: Option<&str>) -> Result<VersionPage, PortError> {
        let (bucket, below) = self.place(prefix)?;
        let what = format!("Cannot list {prefix}");
        // Names that XML cannot hold would make the whole list unreadable.
        let list = self.client.list_object_versions().bucket(bucket).prefix(below).encoding_type(EncodingType::Url);
        let marks = cursor.and_then(|cursor| cursor.split_once('\n'));
        let (key, version) =
            marks.map_or((None, None), |(key, version)| (Some(key.to_owned()), Some(version.to_owned())));
        let version = version.filter(|version| !version.is_empty());
        let page = list.set_key_marker(key).set_version_id_marker(version).send().await;
        let page = page.map_err(|error| failed(&what, &error))?;
        let part = prefix.split('/').next().unwrap_or_default();
        let is_encoded = page.encoding_type == Some(EncodingType::Url);
        let read = |key: &str| {
            let key = if is_encoded { form_decoded(key) } else { Some(key.to_owned()) };
            key.ok_or_else(|| {
                PortError::new(PortErrorKind::Refused, what.clone(), "a key in the answer cannot be read")
            })
        };
        let mut versions = Vec::new();
        for listed in page.versions.unwrap_or_default() {
            let key = read(listed.key().unwrap_or_default())?;
            let at = timestamp(listed.last_modified());
            let version = listed.version_id.unwrap_or_default();
            versions.push(ListedVersion { key: format!("{part}/{key}"), version, at });
        }
        // S3 gives the newest version of a key first.
        versions.sort_by(|a, b| (&a.key, a.at).cmp(&(&b.key, b.at)));
        let next = page.next_key_marker.filter(|_| page.is_truncated.unwrap_or(false));
        let next = next.map(|key| read(&key)).transpose()?;
        let cursor = next.map(|key| format!("{key}\n{}", page.next_version_id_marker.unwrap_or_default()));
        Ok(VersionPage { versions, cursor })
    }

    async fn put_new(&self, key: &Key, bytes: &[u8]) -> Result<PutNew, PortError> {
        self.put(key, ByteStream::from(bytes.to_vec()), bytes.len() as u64, &Condition::Absent).await
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;

    use aws_config::Region;
    use aws_sdk_s3::config::Credentials;
    use store::keys::LandingKey;

    use super::*;
    use crate::outbound::aws;

    /// Answers every request with three bytes of an object of a hundred, and closes the connection.
    fn cuts_off(listener: &TcpListener) {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let head = BufReader::new(stream.try_clone().unwrap()).lines();
            head.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).for_each(drop);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc").unwrap();
        }
    }

    #[tokio::test]
    async fn a_download_that_breaks_keeps_its_cause() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || cuts_off(&listener));
        let credentials = Credentials::new("test", "test", None, None, "test");
        let config =
            aws::loader().endpoint_url(url).region(Region::new("eu-north-1")).credentials_provider(credentials);
        let s3 = S3::new(&config.load().await, "avstem", None);
        let landing = LandingKey::new("T00000001".parse().unwrap(), "vipps", "a.csv").unwrap();
        let mut got = Vec::new();
        let error = s3.fetch(&Key::Landing(landing), "v1", &mut got).await.unwrap_err();
        assert_eq!((error.kind, got.as_slice()), (PortErrorKind::Unavailable, &b"abc"[..]));
        let source: &dyn Error = &*error.source;
        assert_eq!(source.to_string(), "the object was cut off");
        assert!(source.source().is_some_and(|cause| !cause.to_string().is_empty()), "{error:?}");
    }
}
