//! What runs on AWS: the adapters keep the contracts of their ports, and the functions do with messages what they must.

mod adapters;
mod backoffice;
mod deployment;
mod home;
mod mailer;
mod mails;
mod messages;
mod people;
mod records;
pub(crate) mod roles;
mod template;
mod traced;
pub(crate) mod watched;
