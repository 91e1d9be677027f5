//! Tables that come, rest, change; a workbook written here by hand.

use std::fs;

use tocsin_rules::Mention;

use super::*;
use crate::testing;

struct Stand {
    folder: tempfile::TempDir,
    settings: Settings,
    source: Tables,
    now: Timestamp,
}

const MAP: &str = "text=内容,published_at=时间,metrics.views=阅读,platform=:wechat,id=编号";

impl Stand {
    fn new(pattern: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(pattern);
        let settings = serde_json::json!({"path": path, "map": MAP});
        let settings: Settings = serde_json::from_value(settings).expect("settings");
        assert!(settings.check().is_empty());
        let parts = testing::parts("exports", folder.path());
        // Files bear the machine's time.
        let now = parts.clock.now().saturating_add(SignedDuration::from_secs(60)).expect("in range");
        Self { source: settings.made(parts).expect("a source"), settings, folder, now }
    }

    async fn next(&mut self) -> (Vec<Mention>, Vec<String>) {
        let (mut mentions, mut refused) = (Vec::new(), Vec::new());
        loop {
            let batch = self.source.fetch(self.now).await.expect("a batch");
            self.source.acknowledged().await.expect("acknowledged");
            for item in batch.items {
                match item {
                    Item::Mention(mention) => mentions.push(*mention),
                    Item::Rejected(rejected) => {
                        refused.push(format!("{}: {}", rejected.line, rejected.detail))
                    }
                }
            }
            if !batch.more {
                return (mentions, refused);
            }
        }
    }
}

#[tokio::test]
async fn a_csv_is_read_once_it_rests_and_again_when_it_changed() {
    let mut stand = Stand::new("*.csv");
    let path = stand.folder.path().join("a.csv");
    fs::write(&path, "编号,内容,时间,阅读\n1,漏水,2026-09-10 11:40,10万+\n2,,2026-09-10 11:40,1\n")
        .expect("writes");
    let now = std::mem::replace(&mut stand.now, "2026-09-10T00:00:00Z".parse().expect("a time"));
    assert!(stand.next().await.0.is_empty(), "it may still be being written");
    stand.now = now;
    let (mentions, refused) = stand.next().await;
    assert_eq!((mentions.len(), refused.len()), (1, 1));
    assert_eq!((mentions[0].id.as_str(), mentions[0].metrics.views), ("wechat:1", Some(100_000)));
    assert!(stand.next().await.0.is_empty());
    stand.source = stand.settings.made(testing::parts("exports", stand.folder.path())).expect("a source");
    assert!(stand.next().await.0.is_empty(), "the cursor knows the file");
    fs::write(&path, "编号,内容,时间\n1,漏水了,2026-09-10 11:40\n3,起火,2026-09-10 11:41\n").expect("writes");
    assert_eq!(stand.next().await.0.len(), 2);
}

#[tokio::test]
async fn many_rows_come_in_batches_and_the_same_again_until_acknowledged() {
    let mut stand = Stand::new("*.csv");
    let rows: String = (0..BATCH + 10).map(|n| format!("{n},漏水,2026-09-10 11:40\n")).collect();
    fs::write(stand.folder.path().join("a.csv"), format!("编号,内容,时间\n{rows}")).expect("writes");
    let first = stand.source.fetch(stand.now).await.expect("a batch");
    let again = stand.source.fetch(stand.now).await.expect("a batch");
    assert_eq!((first.items.len(), first.more), (BATCH, true));
    assert_eq!(first.items, again.items);
    assert_eq!(stand.next().await.0.len(), BATCH + 10);
}

/// A workbook of one sheet, as the format has it: a zip of XML, stored without compression.
fn workbook(rows: &[&[&str]]) -> Vec<u8> {
    let cell = |(column, text): (usize, &&str)| {
        let column = char::from(b'A' + u8::try_from(column).expect("few columns"));
        match text.parse::<f64>() {
            Ok(number) => format!("<c r=\"{column}ROW\"><v>{number}</v></c>"),
            Err(_) => format!("<c r=\"{column}ROW\" t=\"inlineStr\"><is><t>{text}</t></is></c>"),
        }
    };
    let row = |(n, cells): (usize, &&[&str])| {
        let cells: String = cells.iter().enumerate().map(cell).collect();
        format!("<row r=\"{}\">{}</row>", n + 1, cells.replace("ROW", &(n + 1).to_string()))
    };
    let rows: String = rows.iter().enumerate().map(row).collect();
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    zip(&[
        (
            "[Content_Types].xml",
            format!(
                "<Types xmlns=\"{package}/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"r1\" Type=\"{relation}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{relation}\"><sheets><sheet name=\"导出\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"r1\" Type=\"{relation}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>"),
        ),
    ])
}

fn zip(files: &[(&str, String)]) -> Vec<u8> {
    let (mut body, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let mut crc = flate2::Crc::new();
        crc.update(content.as_bytes());
        let (size, offset) =
            (u32::try_from(content.len()).expect("small"), u32::try_from(body.len()).expect("small"));
        let length = u16::try_from(name.len()).expect("short");
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        for number in [crc.sum(), size, size] {
            common.extend(number.to_le_bytes());
        }
        common.extend(length.to_le_bytes());
        common.extend([0, 0]);
        body.extend(b"PK\x03\x04");
        body.extend(&common);
        body.extend(name.as_bytes());
        body.extend(content.as_bytes());
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, size) =
        (u32::try_from(body.len()).expect("small"), u32::try_from(directory.len()).expect("small"));
    let count = u16::try_from(files.len()).expect("few").to_le_bytes();
    body.extend(directory);
    body.extend(b"PK\x05\x06\0\0\0\0");
    body.extend(count);
    body.extend(count);
    body.extend(size.to_le_bytes());
    body.extend(start.to_le_bytes());
    body.extend([0, 0]);
    body
}

#[tokio::test]
async fn a_workbook_is_a_table_like_any_other() {
    let mut stand = Stand::new("*.xlsx");
    let rows: &[&[&str]] = &[
        &["编号", "内容", "时间", "阅读"],
        &["5200000000000001", "漏水", "2026-09-10 11:40", "12000"],
        &["2", "", "2026-09-10 11:40", "1"],
    ];
    fs::write(stand.folder.path().join("a.xlsx"), workbook(rows)).expect("writes");
    let (mentions, refused) = stand.next().await;
    assert_eq!((mentions.len(), refused.len()), (1, 1), "{refused:?}");
    assert_eq!(
        (mentions[0].id.as_str(), mentions[0].metrics.views),
        ("wechat:5200000000000001", Some(12_000))
    );
    assert!(refused[0].starts_with("3: "), "{refused:?}");
    fs::write(stand.folder.path().join("b.xlsx"), "no workbook").expect("writes");
    assert_eq!(stand.next().await.1, ["1: no workbook that can be read"]);
}
