//! Why a source stands as it does, in Chinese and English.

use tocsin_rules::Wording;

use super::facts::Cause;
use crate::{NoticeKind, error::Fault};

fn both(zh: impl Into<String>, en: impl Into<String>) -> Wording {
    Wording { zh: zh.into(), en: en.into() }
}

fn sort(fault: Fault) -> (&'static str, &'static str) {
    match fault {
        Fault::Read => ("读取文件失败", "a file cannot be read"),
        Fault::Cursor => ("进度存储不可用", "the cursor store is away"),
        Fault::LeaseLost => ("已由其他进程接管", "another process has it"),
        Fault::Options => ("配置无法执行", "a setting cannot be followed"),
        Fault::Publish => ("消息总线未确认", "the bus does not acknowledge"),
        Fault::Transient => ("对方无法访问", "the service cannot be reached"),
        Fault::RateLimited => ("被限流", "rate limited"),
        Fault::QuotaSpent => ("当日配额已用完", "the daily quota is spent"),
        Fault::Credential => ("凭据被拒绝或已过期", "the credential is refused or expired"),
        Fault::Refused => ("对方拒绝访问", "the service refuses"),
        Fault::TooLarge => ("返回内容过大", "the answer is too large"),
        Fault::Robots => ("robots.txt 不允许", "robots.txt does not allow it"),
    }
}

pub(super) fn of(cause: &Cause) -> Wording {
    match cause {
        Cause::Switched => both("已在配置中停用", "switched off in the configuration"),
        Cause::Standby => both("由其他进程运行", "run by another process"),
        Cause::Silence { since, last: None } => {
            both(format!("自 {since} 起没有一次成功"), format!("nothing succeeded since {since}"))
        }
        Cause::Silence { since, last: Some((fault, detail)) } => {
            let (zh, en) = sort(*fault);
            both(
                format!("自 {since} 起没有一次成功：{zh}（{detail}）"),
                format!("nothing succeeded since {since}: {en} ({detail})"),
            )
        }
        Cause::Operator { fault, detail } => {
            let (zh, en) = sort(*fault);
            both(format!("{zh}，需要人工处理（{detail}）"), format!("{en}; somebody must act ({detail})"))
        }
        Cause::Waiting { fault, until } => {
            let (zh, en) = sort(*fault);
            both(format!("{zh}，{until} 之前不再请求"), format!("{en}; nothing is asked before {until}"))
        }
        Cause::Failing { detail } => {
            both(format!("最近一次失败：{detail}"), format!("the last try failed: {detail}"))
        }
        Cause::Starting => both("尚未成功过", "has not succeeded yet"),
        Cause::NothingReceived => both("尚未收到推送", "nothing received yet"),
        Cause::Noticed(kind, detail) => {
            let (zh, en) = match kind {
                NoticeKind::Gap => ("有数据缺口", "mentions were missed"),
                NoticeKind::RateLimited => ("被对方减速", "slowed down by the service"),
                NoticeKind::Sample => ("只得到样本", "only a sample is returned"),
                NoticeKind::Partial => ("部分地址没有应答", "some addresses do not answer"),
            };
            both(format!("{zh}（{detail}）"), format!("{en} ({detail})"))
        }
        Cause::CredentialEnds(at) => {
            both(format!("凭据将于 {at} 到期"), format!("the credential ends at {at}"))
        }
        Cause::CredentialEnded(at) => {
            both(format!("凭据已于 {at} 到期"), format!("the credential ended at {at}"))
        }
        Cause::NoMentions { since } => {
            both(format!("自 {since} 起没有新提及"), format!("no mention since {since}"))
        }
    }
}
