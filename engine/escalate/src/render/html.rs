//! The HTML part of a mail: one narrow column, styles inline because mail programs drop the rest. Refuses images and
//! anything fetched from outside; everything written is escaped here, once.

use tocsin_rules::Language;

use super::{Letter, safe::html};

pub(super) fn page(content: &Letter, language: Language) -> String {
    let lang = match language {
        Language::Zh => "zh-CN",
        Language::En => "en",
    };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{lang}\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body style=\"margin:0;padding:16px;font:16px/1.5 -apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif;color:#1b1f24\">\n\
         <div style=\"max-width:600px;margin:0 auto\">\n<h1 style=\"font-size:20px;margin:0 0 8px\">{title}</h1>\n",
        title = html(&content.headline),
    );
    for fact in &content.facts {
        out.push_str(&format!("<div>{}</div>\n", html(fact)));
    }
    if let Some((text, href)) = &content.link {
        out.push_str(&format!(
            "<p style=\"margin:16px 0\"><a href=\"{}\" style=\"display:inline-block;padding:12px 24px;border-radius:6px;\
             background:#b42318;color:#ffffff;text-decoration:none;font-weight:600\">{}</a></p>\n",
            html(href),
            html(text),
        ));
    }
    for (title, items) in content.sections.iter().filter(|(_, items)| !items.is_empty()) {
        out.push_str(&format!("<h2 style=\"font-size:16px;margin:16px 0 4px\">{}</h2>\n<ul style=\"margin:0;padding-left:20px\">\n", html(title)));
        for item in items {
            out.push_str(&format!("<li style=\"overflow-wrap:anywhere\">{}</li>\n", html(item)));
        }
        out.push_str("</ul>\n");
    }
    if !content.roll.is_empty() {
        out.push_str("<ul style=\"margin:8px 0;padding-left:20px\">\n");
        for (id, about) in &content.roll {
            out.push_str(&format!("<li><strong>{}</strong> {}</li>\n", html(id), html(about)));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("<p style=\"margin:16px 0 0;color:#57606a;font-size:14px\">");
    if let Some(after) = &content.after {
        out.push_str(&format!("{}<br>", html(after)));
    }
    out.push_str(&format!("{}</p>\n</div></body></html>\n", html(&content.id)));
    out
}
