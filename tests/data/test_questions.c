#include "data/questions.h"

#include "tests/data/data_sets.h"
#include "tests/temporary.h"

static struct question_set load(const char *path) {
    struct question_set set;
    mneme_error error;
    mneme_status status = questions_load(path, &set, &error);
    ck_assert_msg(status == MNEME_OK, "%s", error.message);
    return set;
}

static struct question_set load_text(const char *text) {
    temporary_write("q", text, strlen(text));
    return load(temporary_path("q"));
}

static void check_text_refused(const char *text, size_t length, const char *place,
                               const char *cause) {
    temporary_write("q", text, length);
    struct question_set set;
    mneme_error error;
    assert_refused(questions_load(temporary_path("q"), &set, &error), &error, MNEME_BAD_INPUT,
                   place, cause);
    ck_assert_ptr_null(set.questions);
}

static void check_bad(const char *text, const char *place, const char *cause) {
    check_text_refused(text, strlen(text), place, cause);
}

/* One question: its text and its answers, joined by '|'. */
static void check_question(const struct question *question, const char *text, const char *answers) {
    ck_assert_str_eq(question->question, text);
    char joined[2000] = "";
    for (size_t i = 0; i < question->answers.n; i++) {
        strcat(strcat(joined, i == 0 ? "" : "|"), question->answers.texts[i]);
    }
    ck_assert_str_eq(joined, answers);
}

START_TEST(reads_json_lines) {
    struct question_set set = load_text(
        "\xef\xbb\xbf{\"question\": \"who\", \"answer\": [\" a \", \"b\", \"a\"]}\r\n\r\n"
        "{\"answer\": \"42\", \"id\": 7, \"question\": \"how\\nmany\"}");
    ck_assert_uint_eq(set.n, 2);
    ck_assert(!set.is_text);
    check_question(&set.questions[0], "who", "a|b");
    check_question(&set.questions[1], "how\nmany", "42");
    ck_assert_ptr_null(set.questions[1].explanation);
    questions_free(&set);
}
END_TEST

START_TEST(takes_the_final_answer_of_gsm8k) {
    struct question_set set =
        load_text("{\"question\": \"How many?\", \"answer\": \"2+2=4 #### no\\n#### 1,004\"}\n");
    check_question(&set.questions[0], "How many?", "1,004");
    ck_assert_str_eq(set.questions[0].explanation, "2+2=4 #### no\n#### 1,004");
    questions_free(&set);
}
END_TEST

START_TEST(reads_csv) {
    struct question_set set = load_text(
        "metadata,problem,answer\r\n\"{'a', \"\"b\"\"}\",\"Who, and\nwhy?\",\"x \"\"y\"\"\"\r\n"
        "\r\n,What?,\"\"\"z\"\"\"\r\n,Where?,here");
    ck_assert_uint_eq(set.n, 3);
    check_question(&set.questions[0], "Who, and\nwhy?", "x \"y\"");
    check_question(&set.questions[1], "What?", "\"z\"");
    check_question(&set.questions[2], "Where?", "here");
    questions_free(&set);
    set = load_text("answer,question\nb,a\n");
    check_question(&set.questions[0], "a", "b");
    questions_free(&set);
}
END_TEST

START_TEST(reads_triviaqa) {
    static const char *const texts[] = {
        "{\"Data\": [{\"Question\": \"Q?\", \"Answer\": {\"Value\": \"B\", \"Aliases\": [\"A\", "
        "\"B\"]}}]}",
        "{\n \"Domain\": \"x\",\n \"Data\": [{\"Question\": \"Q?\", \"Answer\": {\"Value\": \"B\", "
        "\"Aliases\": [\"A\"]}}]}"};
    for (int i = 0; i < 2; i++) {
        struct question_set set = load_text(texts[i]);
        ck_assert_uint_eq(set.n, 1);
        check_question(&set.questions[0], "Q?", "B|A");
        questions_free(&set);
    }
}
END_TEST

/* One question in many layouts. */
START_TEST(layouts_are_seen_from_content) {
    static const char *const files[] = {
        /* TriviaQA, keys in another order, on one line or not */
        "{\"Domain\": \"x\", \"Data\": [{\"Answer\": {\"Aliases\": [\"A\", \"B\"], "
        "\"Type\": \"y\", \"Value\": \"B\"}, \"QuestionId\": 1, \"Question\": \"Q?\"}]}",
        "\n{\"Version\": 1.0,\n\"Split\": \"dev\",\n\"Data\":\n[{\"Question\":\n\"Q?\",\n"
        "\"Answer\": {\"NormalizedAliases\": [\"z\"], \"Value\": \"B\", \"Aliases\": "
        "[\"A\"]}}]\n}\n",
        /* as `datasets` has it */
        "{\"question\": \"Q?\", \"answer\": {\"aliases\": [\"A\"], \"value\": \"B\"}}",
        /* lists of records */
        "[{\"question\": \"Q?\", \"answer\": [\"B\", \"A\"]}]",
        "[\n  {\n    \"answer\": [\n \"B\", \"A\"],\n    \"question\": \"Q?\"\n  }\n]\n",
        "\xef\xbb\xbf {\"questions\": [{\"Question\": \"Q?\", \"Answers\": [\"B\", \"A\"]}]}",
        "{\"version\": 2, \"data\": [{\"QUESTION\": \"Q?\", \"answers\": [\"B\", \"A\"]}]}",
        /* SQuAD 1.1 and 2.0, and as `datasets` has them */
        "{\"data\": [{\"title\": \"t\", \"paragraphs\": [{\"context\": \"c\", \"qas\": "
        "[{\"answers\": "
        "[{\"answer_start\": 1, \"text\": \"B\"}, {\"answer_start\": 2, \"text\": \"A\"}], "
        "\"question\": \"Q?\", \"id\": \"5\"}]}, {\"qas\": [], \"context\": \"d\"}]}], "
        "\"version\": "
        "\"1.1\"}",
        "{\"version\": \"v2.0\", \"data\": [{\"paragraphs\": [{\"qas\": [{\"question\": \"No?\", "
        "\"is_impossible\": true, \"answers\": [], \"plausible_answers\": [{\"text\": \"x\"}]}, "
        "{\"question\": \"Q?\", \"is_impossible\": false, \"answers\": [{\"text\": \"B\"}, "
        "{\"text\": "
        "\"A\"}, {\"text\": \"B\"}]}]}]}]}",
        "{\"context\": \"c\", \"question\": \"Q?\", \"answers\": {\"text\": [\"B\", \"A\"], "
        "\"answer_start\": [1, 2]}}\n{\"question\": \"No?\", \"answers\": {\"text\": [], "
        "\"answer_start\": []}}",
        /* PopQA */
        "{\"question\": \"Q?\", \"possible_answers\": \"[\\\"B\\\", \\\"A\\\"]\"}",
        "id\tquestion\tpossible_answers\n1\tQ?\t\"[\"\"B\"\", \"\"A\"\"]\"\n",
        "id\tquestion\tpossible_answers\n1\tQ?\t['B', \"A\"]\n",
        "{\"question\": \"Q?\", \"answer\": \"B\", \"answer_aliases\": [\"A\"]}",
        /* tables */
        "\xef\xbb\xbfQuestion,Answer\r\nQ?,\"['B' 'A']\"\r\n",
        "sep=;\r\nANSWER; question \r\n\"['B', 'A']\";Q?\r\n"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct question_set set = load_text(files[i]);
        ck_assert_msg(set.n == 1 && !set.is_text, "file %zu: %zu", i, set.n);
        check_question(&set.questions[0], "Q?", "B|A");
        questions_free(&set);
    }
}
END_TEST

START_TEST(documents_follow_each_other) {
    struct question_set set = load_text(
        "{\"question\": \"\xc3\xa9?\",\n \"answer\": \"\xe6\x9d\xb1\"} {\"question\": \"b\", "
        "\"answer\": \"2\"}{\"question\": \"c\", \"answer\": \"3\"}\n[{\"question\": \"d\", "
        "\"answer\": \"4\"}]");
    ck_assert_uint_eq(set.n, 4);
    check_question(&set.questions[0], "\xc3\xa9?", "\xe6\x9d\xb1");
    check_question(&set.questions[3], "d", "4");
    questions_free(&set);
    check_bad("{\"question\": \"a\",\n\"answer\": \"b\"}\n\n{\"question\":\n3}",
              "q:4: ", "no text");
    check_bad("{\"question\": \"a\",\n\"answer\": \"b\"}\n\n{\"question\":\n", "q:5: ", "");
}
END_TEST

/* As str() of what json.loads gives, truth values but for their capital. */
START_TEST(answers_may_be_numbers) {
    struct question_set set = load_text(
        "{\"question\": \"a\", \"answer\": [42, -7, 3.50, 2.0, 1e3, 1e16, 1.5e-7, 0.1, 1234567.25, "
        "0.0001, 123456789012345678, true, false]}");
    check_question(&set.questions[0], "a",
                   "42|-7|3.5|2.0|1000.0|1e+16|1.5e-07|0.1|1234567.25|0.0001|123456789012345678|"
                   "true|false");
    questions_free(&set);
    set = load_text("question;answer\n\"a;\nb\";1,5\n");
    check_question(&set.questions[0], "a;\nb", "1,5");
    questions_free(&set);
}
END_TEST

/* No list of records is a text, whatever follows its bracket. */
START_TEST(records_may_be_texts) {
    static const char *const files[] = {
        "[{\"text\": \" one \"}, {\"text\": \"\"}, {\"text\": \"two\"}]",
        "{\"title\": \"x\", \"text\": \"one\"}\n{\"text\": \"two\"}\n", "[\"one\", \"two\"]",
        "\xef\xbb\xbfone\xc2\xa0\n\xe3\x80\x80\ntwo"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct question_set set = load_text(files[i]);
        ck_assert(set.is_text);
        ck_assert_uint_eq(set.n, 2);
        check_question(&set.questions[0], "one", "");
        check_question(&set.questions[1], "two", "");
        questions_free(&set);
    }
    static const char *const texts[] = {"[1] See there.", "[Chorus]", "[[File:x]]", "[] milk",
                                        "\"a\", he"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct question_set set = load_text(texts[i]);
        ck_assert(set.is_text);
        check_question(&set.questions[0], texts[i], "");
        questions_free(&set);
    }
    check_bad("[1, 2, 3]", "q: [0]: ", "neither a question nor a text");
    check_bad("[[\"a\"]]", "q: [0]: ", "neither a question nor a text");
    check_bad("[{\"text\": \"a\"}", "q:1: ", "");
    check_bad("[{\"name\": \"a\"}]", "q: [0]: ", "neither");
    check_bad("{\"text\": 3}", "q:1: ", "neither");
    check_bad("[\"a\", {\"question\": \"b\", \"answer\": \"c\"}]", "q: [1]: ", "among texts");
    check_bad("[{\"question\": \"b\", \"answer\": \"c\"}, \"a\"]", "q: [1]: ", "among questions");
}
END_TEST

START_TEST(multiple_choice_is_refused_by_name) {
    static const char *const records[] = {
        "{\"question\": {\"stem\": \"a\", \"choices\": [{\"text\": \"b\", \"label\": \"A\"}]}, "
        "\"answerKey\": \"A\"}",
        "{\"question\": \"a\", \"choices\": {\"text\": [\"b\"], \"label\": [\"A\"]}, "
        "\"answerKey\": \"A\"}",
        "{\"question\": \"a\", \"choices\": [\"b\", \"c\"], \"answer\": 1}"};
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        check_bad(records[i], "q:1: ", "multiple-choice");
    }
}
END_TEST

START_TEST(reads_plain_text) {
    struct question_set set = load_text("one, \"two\"\r\n\n  three\n");
    ck_assert(set.is_text);
    ck_assert_uint_eq(set.n, 2);
    check_question(&set.questions[0], "one, \"two\"", "");
    check_question(&set.questions[1], "three", "");
    questions_free(&set);
}
END_TEST

START_TEST(malformed_json_lines_are_refused) {
    static const char good[] = "{\"question\": \"a\", \"answer\": \"b\"}\n";
    static const struct {
        const char *line, *cause;
    } cases[] = {{"{\"question\": \"a\", \"ans", ""},
                 {"{\"question\": \"a\", \"question\": \"a\", \"answer\": \"b\"}", "duplicate"},
                 {"{\"answer\": \"b\"}", "question"},
                 {"{\"question\": \"a\"}", "answer"},
                 {"{\"question\": 1, \"answer\": \"b\"}", "question"},
                 {"{\"question\": \" \", \"answer\": \"b\"}", "empty question"},
                 {"{\"question\": \"a\", \"answer\": \"\"}", "empty answer"},
                 {"{\"question\": \"a\", \"answer\": \"x ####\"}", "empty answer"},
                 {"{\"question\": \"a\", \"answer\": []}", "empty list"},
                 {"{\"question\": \"a\", \"answer\": \"[]\"}", "empty list"},
                 {"{\"question\": \"a\", \"answer\": [\"b\", [1]]}", "list of them"},
                 {"{\"question\": \"a\", \"answer\": [\"b\", null]}", "list of them"},
                 {"{\"question\": \"a\", \"answer\": null}", "null"},
                 {"{\"question\": \"a\", \"answer\": {}}", "value"},
                 {"{\"question\": \"a\", \"answer\": {\"value\": {}}}", "value"},
                 {"{\"question\": \"a\", \"answer\": 123456789012345678901}", "too big"},
                 {"{\"question\": \"a\", \"answer\": 1e999}", "real number overflow"},
                 {"{\"question\": \"a\\ud800\", \"answer\": \"b\"}", "Unicode"},
                 {"{\"question\": \"a\\u0000\", \"answer\": \"b\"}", ""},
                 {"{\"question\": \"a\", \"answer\": \"b\"} x", ""},
                 {"[1]", "question"},
                 {"plain", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[300];
        snprintf(text, sizeof text, "%s\n%s\n", good, cases[i].line);
        check_bad(text, "q:3: ", cases[i].cause);
    }
    check_bad("{\"question\": \"a\", \"ans", "q:1: ", "");
}
END_TEST

START_TEST(malformed_csv_is_refused) {
    check_bad("question,answer\na,b\nc\n", "q:3: ", "1 fields");
    check_bad("question,answer\na,b,c\n", "q:2: ", "3 fields");
    check_bad("question,answer\n\"a\nb\",c\n\"d,e\n", "q:4: ", "does not end");
    check_bad("question,answer\n\"a\"b,c\n", "q:2: ", "after the end");
    check_bad("question,answer\na\"b,c\n", "q:2: ", "quote inside");
    check_bad("question,answer\n,c\n", "q:2: ", "empty question");
    check_bad("question,answer\na,\n", "q:2: ", "empty answer");
    check_bad("question,answer\n", "q:1: ", "no questions");
}
END_TEST

START_TEST(malformed_files_are_refused) {
    check_bad("", "q:1: ", "no questions");
    check_bad("\xef\xbb\xbf\r\n", "q:1: ", "no questions");
    check_bad("one\ntwo \xff\n", "q:2: ", "invalid UTF-8");
    check_bad("one\ntwo \xed\xa0\x80\n", "q:2: ", "invalid UTF-8");
    check_text_refused("one\ntw\0o\n", 9, "q:2: ", "NUL");
    check_bad("{\n\"Data\": 3}", "q:1: ", "data");
    check_bad("{\n\"Data\": []}", "q:1: ", "no questions");
    check_bad("{\n\"Data\": [", "q:2: ", "");
    check_bad("{\"Data\": [{\"Question\": 1}]}", "q: Data[0]: ", "no text");
    check_bad("{\"Data\": [{\"Question\": \"a\", \"Answer\": {}}]}",
              "q: Data[0]: ", "no \"value\"");
    check_bad(
        "{\"Data\": [{\"Question\": \"a\", \"Answer\": {\"Value\": \"b\", \"Aliases\": [null]}}]}",
        "q: Data[0]: ", "list");
    check_bad("{\"data\": [{\"paragraphs\": [{\"qas\": [{\"question\": \"a\"}]}]}]}",
              "q: data[0].paragraphs[0].qas[0]: ", "no \"answer\"");
    check_bad("{\"question\": \"a\", \"is_impossible\": true, \"answers\": []}",
              "q:1: ", "no question has");
    check_text_refused("\xff\xfe{\0", 4, "q: ", "UTF-16");
    check_text_refused("\xfe\xff\0{", 4, "q: ", "UTF-16");
    check_text_refused("{\0\"\0", 4, "q: ", "UTF-16");
    check_text_refused("\0{\0\"", 4, "q: ", "UTF-16");
    check_text_refused("\0\0\xfe\xff\0\0\0{", 8, "q: ", "UTF-32");
    char deep[8001];
    memset(deep, '[', 8000);
    deep[7999] = '{';
    deep[8000] = '\0';
    check_bad(deep, "q:1: ", "depth");
    struct question_set set;
    mneme_error error;
    assert_refused(questions_load(temporary_folder, &set, &error), &error, MNEME_BAD_INPUT,
                   temporary_folder, "directory");
}
END_TEST

START_TEST(real_files_are_whole) {
    static const struct {
        const char *name;
        size_t n;
        const char *last_answer;
    } files[] = {{"nq_open/NQ-open.dev.jsonl", 3610, NULL},
                 {"simpleqa/simple_qa_first_half.csv", 2163, NULL},
                 {"gsm8k/test.jsonl", 1319, NULL},
                 {"documents/squad_new_wiki_400.json", 2012, NULL},
                 {"questions/popqa_2000.jsonl", 2000, NULL},
                 {"questions/wikidyk_1765.jsonl", 1765, NULL},
                 {"questions/triviaqa_2000.jsonl", 2000, NULL},
                 {"questions/webquestions_2032.jsonl", 2032, NULL},
                 {"triviaqa/triviaqa_sample.json", 1, "Sunset Boulevard"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[512];
        if (!data_set("real_files_are_whole", files[i].name, path)) continue;
        struct question_set set = load(path);
        ck_assert_uint_eq(set.n, files[i].n);
        for (size_t j = 0; j < set.n; j++) ck_assert_uint_ge(set.questions[j].answers.n, 1);
        if (files[i].last_answer != NULL) {
            ck_assert_str_eq(set.questions[set.n - 1].answers.texts[0], files[i].last_answer);
        }
        questions_free(&set);
    }
}
END_TEST

Suite *questions_suite(void) {
    Suite *suite = suite_create("questions");
    TCase *cases = tcase_create("questions");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_test(cases, reads_json_lines);
    tcase_add_test(cases, takes_the_final_answer_of_gsm8k);
    tcase_add_test(cases, reads_csv);
    tcase_add_test(cases, reads_triviaqa);
    tcase_add_test(cases, layouts_are_seen_from_content);
    tcase_add_test(cases, documents_follow_each_other);
    tcase_add_test(cases, answers_may_be_numbers);
    tcase_add_test(cases, records_may_be_texts);
    tcase_add_test(cases, multiple_choice_is_refused_by_name);
    tcase_add_test(cases, reads_plain_text);
    tcase_add_test(cases, malformed_json_lines_are_refused);
    tcase_add_test(cases, malformed_csv_is_refused);
    tcase_add_test(cases, malformed_files_are_refused);
    tcase_add_test(cases, real_files_are_whole);
    suite_add_tcase(suite, cases);
    return suite;
}
