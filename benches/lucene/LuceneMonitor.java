// Lucene Monitor as a contender of `just bench-rules`: registers the queries of a file, then obeys lines on standard
// input (`round`, `matches FILE`, `tokens FROM TO`), one answer line each, so that it can take turns with the others.
// Single thread. Started by benches/src/rules/lucene.rs; not for use by hand.

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.cjk.CJKAnalyzer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.analysis.tokenattributes.PositionIncrementAttribute;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.Term;
import org.apache.lucene.monitor.MatchingQueries;
import org.apache.lucene.monitor.Monitor;
import org.apache.lucene.monitor.MonitorQuery;
import org.apache.lucene.monitor.MultiMatchingQueries;
import org.apache.lucene.monitor.MultipassTermFilteredPresearcher;
import org.apache.lucene.monitor.Presearcher;
import org.apache.lucene.monitor.QueryMatch;
import org.apache.lucene.monitor.TermFilteredPresearcher;
import org.apache.lucene.queries.spans.SpanNearQuery;
import org.apache.lucene.queries.spans.SpanQuery;
import org.apache.lucene.queries.spans.SpanTermQuery;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.PrefixQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.util.QueryBuilder;

final class LuceneMonitor {
    private static final String FIELD = "text";

    private final Analyzer analyzer = new CJKAnalyzer();
    private final QueryBuilder builder = new QueryBuilder(analyzer);
    private final Monitor monitor;
    private final List<String> texts;
    private final int batch;

    /** Arguments: file of texts, file of queries, passes (0: TermFilteredPresearcher), texts a batch, seconds to warm up. */
    public static void main(String[] arguments) throws IOException {
        List<String> texts = Files.readAllLines(Path.of(arguments[0]), StandardCharsets.UTF_8);
        LuceneMonitor peer = new LuceneMonitor(texts, Integer.parseInt(arguments[2]), Integer.parseInt(arguments[3]));
        peer.register(Path.of(arguments[1]));
        long until = System.nanoTime() + (long) (Double.parseDouble(arguments[4]) * 1e9);
        while (System.nanoTime() < until) {
            peer.round(null, until);
        }
        System.out.println("ready");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "round" -> System.out.println(peer.round(null, Long.MAX_VALUE));
                case "matches" -> {
                    String figures;
                    try (BufferedWriter out = Files.newBufferedWriter(Path.of(words[1]))) {
                        figures = peer.round(out, Long.MAX_VALUE);
                    }
                    System.out.println(figures);
                }
                case "tokens" -> System.out.println(peer.tokens(Path.of(words[1]), Path.of(words[2])));
                default -> throw new IllegalArgumentException(line);
            }
        }
        System.exit(0);
    }

    private LuceneMonitor(List<String> texts, int passes, int batch) throws IOException {
        Presearcher presearcher = passes == 0 ? new TermFilteredPresearcher() : new MultipassTermFilteredPresearcher(passes);
        this.monitor = new Monitor(analyzer, presearcher);
        this.texts = texts;
        this.batch = batch;
    }

    /** Prints seconds to make the queries, seconds to register them, and bytes of heap that remain. */
    private void register(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
        long before = heap();
        long start = System.nanoTime();
        List<MonitorQuery> queries = new ArrayList<>(lines.size());
        for (int number = 0; number < lines.size(); number++) {
            Query query = query(lines.get(number));
            if (query != null) {
                queries.add(new MonitorQuery(Integer.toString(number), query));
            }
        }
        long made = System.nanoTime();
        monitor.register(queries);
        long end = System.nanoTime();
        queries = null;
        long live = heap() - before;
        System.out.printf("built %.6f %.6f %d%n", (made - start) / 1e9, (end - made) / 1e9, Math.max(live, 0));
    }

    private static long heap() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    /**
     * A line is clauses apart by tabs: `+a|b` one of these, `-a` not this, `~5|a|b` near. Stop words vanish, as they do in
     * Lucene's own query parsers. Null when nothing remains that must be there.
     */
    private Query query(String line) throws IOException {
        BooleanQuery.Builder all = new BooleanQuery.Builder();
        boolean held = false;
        for (String clause : line.split("\t")) {
            String[] words = clause.substring(1).split("\\|");
            Query part = clause.charAt(0) == '~' ? near(words) : any(words);
            if (part != null) {
                boolean not = clause.charAt(0) == '-';
                all.add(part, not ? Occur.MUST_NOT : Occur.MUST);
                held |= !not;
            }
        }
        return held ? all.build() : null;
    }

    private Query any(String[] words) {
        BooleanQuery.Builder any = new BooleanQuery.Builder();
        Query last = null;
        int count = 0;
        for (String word : words) {
            Query one = word.endsWith("*")
                ? new PrefixQuery(new Term(FIELD, word.substring(0, word.length() - 1)))
                : builder.createPhraseQuery(FIELD, word);
            if (one != null) {
                any.add(one, Occur.SHOULD);
                last = one;
                count++;
            }
        }
        return count < 2 ? last : any.build();
    }

    private Query near(String[] words) throws IOException {
        List<String> left = terms(words[1]);
        List<String> right = terms(words[2]);
        if (left.isEmpty() || right.isEmpty()) {
            return any(new String[] {words[left.isEmpty() ? 2 : 1]});
        }
        SpanQuery[] sides = {span(left), span(right)};
        return new SpanNearQuery(sides, Integer.parseInt(words[0]), false);
    }

    private static SpanQuery span(List<String> terms) {
        SpanQuery[] parts = terms.stream().map(term -> new SpanTermQuery(new Term(FIELD, term))).toArray(SpanQuery[]::new);
        return parts.length == 1 ? parts[0] : new SpanNearQuery(parts, 0, true);
    }

    private List<String> terms(String word) throws IOException {
        List<String> terms = new ArrayList<>();
        analyse(word, (position, term) -> terms.add(term));
        return terms;
    }

    /** Matches every text once, until a time; `round TEXTS SECONDS HITS`. With `out`, a line "text query" for each hit. */
    private String round(BufferedWriter out, long until) throws IOException {
        long hits = 0;
        long start = System.nanoTime();
        int at = 0;
        while (at < texts.size() && System.nanoTime() < until) {
            int end = Math.min(at + batch, texts.size());
            if (batch == 1) {
                MatchingQueries<QueryMatch> found = monitor.match(document(texts.get(at)), QueryMatch.SIMPLE_MATCHER);
                hits += found.getMatchCount();
                write(out, at, found.getMatches());
            } else {
                Document[] documents = texts.subList(at, end).stream().map(LuceneMonitor::document).toArray(Document[]::new);
                MultiMatchingQueries<QueryMatch> found = monitor.match(documents, QueryMatch.SIMPLE_MATCHER);
                for (int i = 0; i < documents.length; i++) {
                    hits += found.getMatchCount(i);
                    write(out, at + i, found.getMatches(i));
                }
            }
            at = end;
        }
        return String.format("round %d %.6f %d", at, (System.nanoTime() - start) / 1e9, hits);
    }

    private static void write(BufferedWriter out, int text, Iterable<QueryMatch> found) throws IOException {
        if (out != null) {
            for (QueryMatch match : found == null ? Collections.<QueryMatch>emptyList() : found) {
                out.write(text + " " + match.getQueryId() + "\n");
            }
        }
    }

    private static Document document(String text) {
        Document document = new Document();
        document.add(new TextField(FIELD, text, Field.Store.NO));
        return document;
    }

    /** What the analyzer makes of each line: `position:term` apart by tabs. */
    private String tokens(Path from, Path to) throws IOException {
        int count = 0;
        try (BufferedWriter out = Files.newBufferedWriter(to)) {
            for (String line : Files.readAllLines(from, StandardCharsets.UTF_8)) {
                List<String> tokens = new ArrayList<>();
                analyse(line, (position, term) -> tokens.add(position + ":" + term));
                out.write(String.join("\t", tokens) + "\n");
                count++;
            }
        }
        return "tokens " + count;
    }

    private interface Each {
        void token(int position, String term);
    }

    private void analyse(String text, Each each) throws IOException {
        try (TokenStream stream = analyzer.tokenStream(FIELD, text)) {
            CharTermAttribute term = stream.addAttribute(CharTermAttribute.class);
            PositionIncrementAttribute increment = stream.addAttribute(PositionIncrementAttribute.class);
            stream.reset();
            int position = -1;
            while (stream.incrementToken()) {
                position += increment.getPositionIncrement();
                each.token(position, term.toString());
            }
            stream.end();
        }
    }
}
