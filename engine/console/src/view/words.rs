//! The console's own words in Chinese and English. Refuses to hold anything the rulebook says.

use tocsin_escalate::PageStatus;
use tocsin_rules::Language;

use crate::config::Rank;

pub(crate) use tocsin_escalate::render::words::pick;

macro_rules! words {
    ($($field:ident: $zh:literal, $en:literal;)+) => {
        /// One language's words.
        pub(crate) struct Words { zh: bool, $(pub(crate) $field: &'static str),+ }
        static ZH: Words = Words { zh: true, $($field: $zh),+ };
        static EN: Words = Words { zh: false, $($field: $en),+ };
    };
}

words! {
    skip: "跳到正文", "Skip to content";
    other_language: "English", "中文";
    tagline: "舆情危机值守", "crisis watch";
    log_in: "登录", "Log in";
    log_out: "退出", "Log out";
    token: "访问令牌", "Access token";
    token_wrong: "令牌不正确。", "That token is not known.";
    no_login: "未配置会话密钥，无法登录页面。请使用 API。", "No session key is configured, so nobody can log in to the pages. Use the API.";
    demo: "演示模式", "Demo";
    all_incidents: "全部事件", "All incidents";
    open_incidents: "进行中的危机事件", "Open incidents";
    calm: "目前没有进行中的危机事件。", "No open incidents.";
    calm_detail: "监测仍在进行，出现预警时会自动显示在这里。", "Watching goes on; whatever turns up appears here by itself.";
    closed_incidents: "最近结束", "Recently closed";
    acknowledge: "确认接手", "Acknowledge";
    taken_by: "已接手", "Taken by";
    nobody_yet: "尚无人接手", "Nobody has taken it";
    next_page: "下一位", "Next";
    since: "始于", "Since";
    why: "为什么报警", "Why it fired";
    limit: "临界值", "limit";
    evidence: "原文证据", "What was said";
    source_link: "打开原帖", "Open the post";
    plan: "预案", "Plan";
    template: "口径模板", "Statement template";
    due: "期限", "Due";
    waits_for: "等待", "Waits for";
    approvals: "审批", "approvals";
    approve: "批准", "Approve";
    start: "开始", "Start";
    done: "完成", "Done";
    skip_step: "跳过", "Skip";
    reopen: "重新开始", "Take up again";
    timeline: "时间线", "Timeline";
    pages: "通知记录", "Pages";
    team: "应急小组", "Team";
    unassigned: "未指派", "not assigned";
    assign: "指派", "Assign";
    person: "人员", "Person";
    role: "角色", "Role";
    actions: "处置", "Actions";
    confirm: "确认属实", "Confirm it is real";
    to_responding: "开始处置", "Start responding";
    to_monitoring: "转入观察", "Move to monitoring";
    escalate: "立即通知下一位", "Page the next now";
    resolve: "解决", "Resolve";
    summary: "一句话总结", "Summary in one sentence";
    dismiss: "排除（非危机）", "Dismiss (not a crisis)";
    reason: "理由", "Reason";
    note: "备注", "Note";
    add_note: "添加备注", "Add note";
    notes: "备注", "Notes";
    set_level: "调整等级", "Set level";
    impact: "影响程度", "Impact";
    likelihood: "可能性", "Likelihood";
    category: "类型", "Type";
    review: "复盘", "Review";
    statements: "口径与声明", "Statements";
    internal_notice: "内部通知", "Internal notice";
    version: "版本", "version";
    written_by: "撰写", "Written by";
    from_template: "来自模板，尚无稿件", "From the template; nothing drafted yet";
    no_draft: "尚无稿件", "Nothing drafted yet";
    draft: "起草/修改", "Draft or edit";
    draft_voids: "保存为新版本，此前的批准作废。", "Saved as a new version; former approvals are void.";
    save_version: "保存新版本", "Save as a new version";
    former_versions: "历史版本", "Former versions";
    publish: "登记发布", "Record publication";
    place: "发布渠道", "Where";
    link: "链接", "Link";
    time: "时间", "When";
    copy: "复制", "Copy";
    attachments: "证据存档", "On file";
    attach: "存入证据", "Put on file";
    screenshot_hash: "截图文件的 SHA-256", "SHA-256 of the screenshot's file";
    last_time: "上次同类事件", "Last time";
    plan_changes: "预案改进", "Changes to the plan";
    response_times: "响应用时", "Response times";
    to_acknowledge: "接手", "To acknowledge";
    to_confirm: "核实", "To confirm";
    to_statement: "发布声明", "To the statement";
    to_close: "结束", "To close";
    steps_late: "逾期步骤", "Steps late";
    follow_ups: "进展通报", "Follow-up reports";
    next_report: "下一次通报", "Next one";
    file_report: "提交通报", "File the report";
    merged_into: "已并入", "Merged into";
    merged_from: "并入了", "Merged in:";
    reopened: "曾重新打开", "Reopened by";
    nature: "事件性质", "Nature";
    split: "拆分出来", "Split off";
    page_anew: "重新通知值班人员", "Page people anew";
    reopen_incident: "重新打开", "Reopen";
    merge: "并入其他事件", "Merge into another";
    merge_into: "并入", "Into";
    happened: "事件经过", "What happened";
    noticed_at: "最早发现时间", "First noticed";
    lessons: "经验教训", "Lessons";
    role_history: "角色变更记录", "Role history";
    library: "事件库", "Library of incidents";
    monitor: "监测项", "Monitor";
    level: "等级", "Level";
    only_closed: "仅已结束", "Only closed";
    search: "搜索", "Search";
    nothing_found: "没有符合条件的事件。", "No incident matches.";
    older: "更早", "Older";
    drills: "演练中", "Drills under way";
    reports: "报告", "Reports";
    period: "周期", "Period";
    day: "日报", "Day";
    week: "周报", "Week";
    month: "月报", "Month";
    quarter: "季报", "Quarter";
    show: "查看", "Show";
    in_digest: "随汇总消息发出", "sent within digest";
    give_back: "交回", "Give back";
    silence: "静默", "Silence";
    one_hour: "1 小时", "1 hour";
    four_hours: "4 小时", "4 hours";
    tomorrow_morning: "明早 9:00", "Tomorrow 9:00";
    silences: "静默", "Silences";
    no_silences: "目前没有生效的静默。", "No silence holds now.";
    past_silences: "已结束的静默", "Silences that are over";
    silence_gone: "没有这个静默。", "There is no such silence.";
    until: "截止", "Until";
    end_now: "立即结束", "End now";
    ended_by: "提前结束：", "ended early by";
    sources: "信源", "Sources";
    sources_away: "暂时无法得知各信源的状态。", "How the sources stand cannot be read for now.";
    no_sources: "没有配置信源。", "No source is configured.";
    source_ok: "正常", "ok";
    source_degraded: "降级", "degraded";
    source_blind: "失明", "blind";
    source_off: "未运行", "off";
    source_unknown: "状态不明", "unknown";
    source_silent: "无消息", "not heard from";
    last_word: "运行它的进程最后一次报告：", "The process that runs it last spoke";
    last_success: "最近成功", "Last success";
    last_mention: "最近一条提及", "Last mention";
    lag: "滞后", "Lag";
    quota_left: "剩余配额", "Quota left";
    credential_expires: "凭据到期", "Credential expires";
    audit: "操作审计", "Audit";
    audit_export: "导出全部历史（JSON 行）", "Export the whole history (JSON lines)";
    audit_check: "校验：", "Check it with";
    refused: "被拒绝的操作", "Refused and denied commands";
    sampled: "某些来源只提供抽样，数值可能偏低。", "Some sources return samples only: numbers may be too low.";
    pager: "通知器（本机）", "Pager (this machine)";
    pager_empty: "还没有通知。", "No pages yet.";
    drill: "演练", "Drill";
    overdue: "逾期", "overdue";
    more: "更多操作", "More actions";
    details: "查看详情", "Details";
    link_ask: "按下按钮即表示由你接手此事件，并停止继续通知。", "Pressing the button means you take this incident; nobody further is paged.";
    link_void: "此链接已失效：事件状态已变化。", "This link is void: the incident has moved on.";
    link_invalid: "此链接无效。", "This link is not valid.";
    link_expired: "此链接已过期。", "This link has expired.";
    link_closed: "此事件已结束。", "This incident is closed.";
    link_done: "已接手", "Already acknowledged by";
    not_found: "没有这个事件。", "There is no such incident.";
    store_away: "存储暂时没有应答，请稍后再试。", "The store did not answer; try again shortly.";
    notice_done: "已执行。", "Done.";
    notice_stale: "有人先一步更改了此事件，以下是最新状态；你的操作未执行。", "Somebody changed this incident first; this is how it stands now. Your command was not carried out.";
    notice_illegal: "当前状态不允许这个操作。", "Not possible as the incident stands.";
    notice_invalid: "操作未执行：内容有误或条件未满足（先完成前置步骤或审批）。", "Not carried out: something is missing or not allowed yet (earlier steps, approvals).";
    notice_away: "存储没有应答，操作可能未执行。", "The store did not answer; the command may not have been carried out.";
}

/// The words of a language.
pub(crate) fn of(language: Language) -> &'static Words {
    pick(language, &ZH, &EN)
}

impl Words {
    pub(crate) fn rank(&self, rank: Rank) -> &'static str {
        let (zh, en) = match rank {
            Rank::Viewer => ("只读", "viewer"),
            Rank::Officer => ("值班员", "officer"),
            Rank::Commander => ("指挥", "commander"),
            Rank::Admin => ("管理员", "admin"),
        };
        if self.zh { zh } else { en }
    }

    pub(crate) fn page_status(&self, status: PageStatus) -> &'static str {
        let (zh, en) = match status {
            PageStatus::Pending => ("待发送", "pending"),
            PageStatus::Delivered => ("已送达", "delivered"),
            PageStatus::Obsolete => ("已作废", "obsolete"),
            PageStatus::Dead => ("发送失败", "failed"),
        };
        if self.zh { zh } else { en }
    }

    /// What an audit entry's word means.
    pub(crate) fn happened(&self, what: &str) -> String {
        let (zh, en) = match what {
            "opened" => ("事件开启", "opened"),
            "acknowledged" => ("确认接手", "acknowledged"),
            "confirmed" => ("确认属实", "confirmed"),
            "advanced" => ("进入下一阶段", "moved on"),
            "assigned" => ("指派", "assigned"),
            "noted" => ("添加备注", "noted"),
            "level_set" => ("人工调整等级", "level set by hand"),
            "escalated" => ("无人确认，升级通知", "nobody acknowledged, escalated"),
            "escalated_by_hand" => ("人工升级通知", "escalated by hand"),
            "escalation_exhausted" => ("升级策略已走完", "escalation exhausted"),
            "step" => ("步骤", "step"),
            "approved" => ("批准", "approved"),
            "resolved" => ("已解决", "resolved"),
            "dismissed" => ("已排除", "dismissed"),
            "reviewed" => ("已复盘", "reviewed"),
            "recovered" => ("指标恢复正常", "indicators back to normal"),
            "recurred" => ("再次出现", "came back"),
            "overdue" => ("步骤逾期", "overdue"),
            "merged" => ("并入其他事件", "merged into another"),
            "absorbed" => ("并入了", "took in"),
            "gave_back" => ("拆出了", "gave back"),
            "split_off" => ("拆分出来", "split off"),
            "reopened" => ("重新打开", "reopened"),
            "attached" => ("存入证据", "put on file"),
            "forgotten" => ("删除某作者内容", "an author was forgotten"),
            "nature" => ("确认性质", "nature told"),
            "drafted" => ("起草声明", "drafted"),
            "published" => ("登记发布", "published"),
            "reported" => ("提交进展通报", "follow-up report filed"),
            "report_due" => ("进展通报到期", "follow-up report due"),
            "overdue_escalated" => ("步骤仍逾期，通知总指挥", "still overdue, commander told"),
            "acknowledged_too" => ("也已确认", "acknowledged too"),
            "asked_again" => ("再次请求确认", "asked again to acknowledge"),
            "released" => ("交回", "given back"),
            "reminded" => ("无进展，提醒接手人", "nothing done, reminded"),
            "reminder_lapsed" => ("无需再提醒", "no reminder needed any more"),
            "acknowledgement_taken_back" => ("无进展，收回确认", "nothing done, acknowledgement taken back"),
            "silenced" => ("静默中", "silenced"),
            "silence_ended" => ("静默结束", "silence ended"),
            "watch_ended" => ("观察期结束", "watch ended"),
            "raised" | "level_raised" => ("等级上升", "level raised"),
            "lowered" | "level_lowered" => ("等级下降", "level lowered"),
            other => return other.replace('_', " "),
        };
        (if self.zh { zh } else { en }).to_owned()
    }
}
