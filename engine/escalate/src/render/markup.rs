//! The dialects of chat text: how each writes bold, a link, a new line, and what must not reach it unescaped.
//!
//! Where a provider honours escapes they are used; where it is not known to, a sign is replaced by one that looks like it
//! and does nothing. Refuses to pass an at sign: nobody is called by what a stranger wrote.

/// One dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Markup {
    /// No marks at all.
    Plain,
    /// Markdown of DingTalk robots.
    DingTalk,
    /// Markdown of WeCom robots.
    WeCom,
    /// `lark_md` of Feishu cards.
    Lark,
    /// Slack's mrkdwn.
    Slack,
    /// Telegram's HTML.
    Telegram,
    /// Markdown of adaptive cards.
    Adaptive,
}

impl Markup {
    /// What one character of foreign text becomes.
    fn sign(self, c: char, out: &mut String) {
        match (self, c) {
            (_, '@') => out.push('＠'),
            (Self::Slack | Self::Telegram, '&') => out.push_str("&amp;"),
            (Self::Slack | Self::Telegram, '<') => out.push_str("&lt;"),
            (Self::Slack | Self::Telegram, '>') => out.push_str("&gt;"),
            (Self::Slack, '*') => out.push('＊'),
            (Self::Slack, '`') | (Self::DingTalk | Self::WeCom | Self::Lark | Self::Adaptive, '`') => {
                out.push('ˋ');
            }
            (Self::Plain, '<') => out.push('‹'),
            (Self::DingTalk | Self::WeCom | Self::Lark | Self::Adaptive, c) => out.push(match c {
                '<' => '‹',
                '>' => '›',
                '[' => '［',
                ']' => '］',
                '*' => '＊',
                '_' => '＿',
                '#' => '＃',
                '~' => '～',
                '|' => '｜',
                '\\' => '＼',
                c => c,
            }),
            (_, c) => out.push(c),
        }
    }

    /// Foreign text, harmless in this dialect.
    pub(crate) fn escape(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 8);
        for c in text.chars() {
            self.sign(c, &mut out);
        }
        out
    }

    /// Bold; `text` is escaped here.
    pub(crate) fn bold(self, text: &str) -> String {
        let text = self.escape(text);
        match self {
            Self::Plain => text,
            Self::Slack => format!("*{text}*"),
            Self::Telegram => format!("<b>{text}</b>"),
            Self::DingTalk | Self::WeCom | Self::Lark | Self::Adaptive => format!("**{text}**"),
        }
    }

    /// A link of ours: `href` holds no sign that any dialect takes for an end.
    pub(crate) fn link(self, text: &str, href: &str) -> String {
        let text = self.escape(text);
        match self {
            Self::Plain => format!("{text}: {href}"),
            Self::Slack => format!("<{}|{text}>", href.replace('&', "&amp;")),
            Self::Telegram => format!("<a href=\"{}\">{text}</a>", super::safe::html(href)),
            Self::DingTalk | Self::WeCom | Self::Lark | Self::Adaptive => format!("[{text}]({href})"),
        }
    }

    /// Between lines of one paragraph.
    pub(crate) fn newline(self) -> &'static str {
        match self {
            Self::DingTalk => "  \n",
            Self::Adaptive => "\n\n",
            Self::Plain | Self::WeCom | Self::Lark | Self::Slack | Self::Telegram => "\n",
        }
    }

    /// In front of an item of a list.
    pub(crate) fn bullet(self) -> &'static str {
        match self {
            Self::Slack | Self::Telegram => "• ",
            Self::Plain | Self::DingTalk | Self::WeCom | Self::Lark | Self::Adaptive => "- ",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Markup; 7] = [
        Markup::Plain,
        Markup::DingTalk,
        Markup::WeCom,
        Markup::Lark,
        Markup::Slack,
        Markup::Telegram,
        Markup::Adaptive,
    ];

    #[test]
    fn nothing_foreign_is_a_mark_or_a_call() {
        let hostile = "<!channel> <@U1> <at id=all></at> [x](http://e) **b** @all `c` # h";
        for markup in ALL {
            let shown = markup.escape(hostile);
            assert!(!shown.contains('@'), "{markup:?} {shown}");
            assert!(!shown.contains('<'), "{markup:?} {shown}");
            let marks = shown.contains("**") || shown.contains('`');
            assert!(!marks || matches!(markup, Markup::Plain | Markup::Telegram), "{markup:?} {shown}");
        }
        for markup in [Markup::DingTalk, Markup::WeCom, Markup::Lark, Markup::Adaptive] {
            assert!(!markup.escape(hostile).contains(['[', ']', '*', '#']), "{markup:?}");
        }
    }

    proptest! {
        #[test]
        fn no_dialect_lets_a_mark_through(text in any::<String>()) {
            for markup in ALL {
                let shown = markup.escape(&text);
                prop_assert!(!shown.contains('@'));
                prop_assert!(!shown.contains('<'));
            }
        }
    }
}
