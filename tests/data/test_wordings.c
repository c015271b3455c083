#include "data/wordings.h"

#include "data/questions.h"
#include "tests/data/data_sets.h"
#include "tests/temporary.h"
#include "text/form.h"
#include "text/utf8.h"

static void load_wordings(const char *path, struct wordings *wordings) {
    mneme_error error = {0};
    assert_ok(wordings_load(path, wordings, &error), &error);
}

/* A file of one record, as facts. */
static struct question_set load_facts(const char *text) {
    struct question_set set;
    mneme_error error = {0};
    temporary_write("facts", text, strlen(text));
    assert_ok(questions_load_facts(temporary_path("facts"), &set, &error), &error);
    return set;
}

static struct text_list texts_of(const struct wordings *wordings, const struct question *record,
                                 bool chat) {
    struct text_list texts = {0};
    mneme_error error = {0};
    char *question = record->question == NULL ? NULL : question_marked(record->question);
    assert_ok(wordings_of(wordings, record, question, chat, &texts, &error), &error);
    free(question);
    return texts;
}

/* Enough for any question, without a chat, too; all different, and all with both. */
START_TEST(built_in_wordings_are_many) {
    struct wordings wordings;
    load_wordings(NULL, &wordings);
    struct question_set set = load_facts(
        "{\"question\": \"who is \\\"he\\\"\\nthere ??\", \"answer\": [\"A \\\"{x}\\\" \xc5\xbd\", "
        "\"B\"]}");
    struct text_list plain = texts_of(&wordings, set.questions, false);
    struct text_list all = texts_of(&wordings, set.questions, true);
    ck_assert_uint_ge(plain.n, 64);
    ck_assert_uint_ge(all.n, plain.n + 8);
    ck_assert_uint_eq(all.n, wordings.forms.n);
    for (size_t i = 0; i < all.n; i++) {
        ck_assert_ptr_nonnull(strstr(all.texts[i], "who is \"he\"\nthere?"));
        ck_assert_ptr_null(strstr(all.texts[i], "there??"));
        ck_assert_ptr_nonnull(strstr(all.texts[i], "A \"{x}\" \xc5\xbd"));
        ck_assert_int_eq(form_is_chat(all.texts[i]), i >= plain.n);
    }
    text_list_free(&plain);
    text_list_free(&all);
    questions_free(&set);
    wordings_free(&wordings);
}
END_TEST

/* The library has the file that comes with it. */
START_TEST(built_in_wordings_are_the_file) {
    struct wordings built_in, file;
    load_wordings(NULL, &built_in);
    load_wordings("data/wordings/questions.txt", &file);
    ck_assert_uint_eq(built_in.forms.n, file.forms.n);
    for (size_t i = 0; i < file.forms.n; i++) {
        ck_assert_str_eq(built_in.forms.texts[i], file.forms.texts[i]);
    }
    wordings_free(&built_in);
    wordings_free(&file);
}
END_TEST

START_TEST(statements_come_first_and_once) {
    static const char forms[] =
        "\xef\xbb\xbf# ours\r\n\r\n  {question} {answer}\r\n\\# Is it "
        "{question}?\\n\\{{answer}\\}\r\n"
        "{user}{question}{assistant}{answer}\n";
    struct wordings wordings;
    temporary_write("forms", forms, strlen(forms));
    load_wordings(temporary_path("forms"), &wordings);
    struct question_set set = load_facts(
        "{\"question\": \"Who?\", \"answer\": \"Ann\", \"statements\": [\" It is Ann. \", \"\", "
        "\"Who? "
        "Ann\", \"It is Ann.\"]}\n"
        "{\"statement\": \"Bo is here.\"}\n"
        "{\"question\": \"Where\", \"answer\": \"here\", \"statement\": \"['It is here.', "
        "'Here.']\"}");
    ck_assert_uint_eq(set.n, 3);
    struct text_list texts = texts_of(&wordings, &set.questions[0], true);
    ck_assert_uint_eq(texts.n, 4);
    ck_assert_str_eq(texts.texts[0], "It is Ann.");
    ck_assert_str_eq(texts.texts[1], "Who? Ann");
    ck_assert_str_eq(texts.texts[2], "# Is it Who?\n{Ann}");
    ck_assert_str_eq(texts.texts[3],
                     "\xfcWho?\xfd"
                     "Ann");
    char *shown = form_show(texts.texts[3]);
    ck_assert_str_eq(shown, "user: Who?\nassistant: Ann");
    free(shown);
    text_list_free(&texts);
    ck_assert_ptr_null(set.questions[1].question);
    texts = texts_of(&wordings, &set.questions[1], true);
    ck_assert_uint_eq(texts.n, 1);
    ck_assert_str_eq(texts.texts[0], "Bo is here.");
    text_list_free(&texts);
    texts = texts_of(&wordings, &set.questions[2], false);
    ck_assert_uint_eq(texts.n, 4);
    ck_assert_str_eq(texts.texts[1], "Here.");
    text_list_free(&texts);
    questions_free(&set);
    wordings_free(&wordings);
}
END_TEST

static void check_refused(const char *forms, size_t length, const char *place, const char *cause) {
    struct wordings wordings;
    mneme_error error = {0};
    temporary_write("forms", forms, length);
    assert_refused(wordings_load(temporary_path("forms"), &wordings, &error), &error,
                   MNEME_BAD_INPUT, place, cause);
    ck_assert_ptr_null(wordings.forms.texts);
}

START_TEST(bad_wordings_are_refused_by_line) {
    static const struct {
        const char *forms, *place, *cause;
    } bad[] = {
        {"{question} {answer}\n{question}\n", "forms:2:", "without {answer}"},
        {"# a\n\n{answer}\n", "forms:3:", "without {question}"},
        {"{question} {answer} {name}\n", "forms:1:", "has a { that begins no place"},
        {"{question} {answer} {question\n", "forms:1:", "has a { that begins no place"},
        {"{question} {answer}}\n", "forms:1:", "has a } without a {"},
        {"{question} {answer}\\x\n", "forms:1:", "has a \\ before"},
        {"{question} {answer}\\", "forms:1:", "has a \\ before"},
        {"{shots}{question} {answer}\n", "forms:1:", "{shots} is for prompts"},
        {"Hello {user}{question}{assistant}{answer}\n", "forms:1:", "before its first turn"},
        {"# none\n\n", "forms:1:", "holds no wordings"},
        {"", "forms:1:", "holds no wordings"},
        {"{question} {answer}\n\xf8{question} {answer}\n", "forms:2:", "invalid UTF-8"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        check_refused(bad[i].forms, strlen(bad[i].forms), bad[i].place, bad[i].cause);
    }
    check_refused("{question}\n\0{answer}", 20, "forms:2:", "a NUL byte");
    struct wordings wordings;
    mneme_error error = {0};
    assert_refused(wordings_load(temporary_path("none"), &wordings, &error), &error,
                   MNEME_BAD_INPUT, "none", "");
}
END_TEST

/* Facts that need not be asked: statements alone, in every layout; refused where questions are. */
START_TEST(statements_alone_are_facts) {
    static const char *const files[] = {
        "{\"statements\": [\"Ann wrote it.\"]}\n",
        "[{\"Statement\": \"Ann wrote it.\"}]",
        "{\"data\": [{\"statement\": \"Ann wrote it.\"}]}",
        "id,statement\n1,Ann wrote it.\n",
        "statements\tid\n\"['Ann wrote it.']\"\t1\n",
        "Ann wrote it.\n",
        "[\"Ann wrote it.\"]",
        "{\"text\": \"Ann wrote it.\"}",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct question_set set = load_facts(files[i]);
        ck_assert_uint_eq(set.n, 1);
        ck_assert(!set.is_text);
        ck_assert_ptr_null(set.questions[0].question);
        ck_assert_uint_eq(set.questions[0].statements.n, 1);
        ck_assert_str_eq(set.questions[0].statements.texts[0], "Ann wrote it.");
        questions_free(&set);
        mneme_error error = {0};
        if (i > 2) continue;
        assert_refused(questions_load(temporary_path("facts"), &set, &error), &error,
                       MNEME_BAD_INPUT,
                       i == 0 ? "facts:1:" : "[0]:", "statements without a question");
    }
}
END_TEST

START_TEST(bad_statements_are_refused) {
    static const struct {
        const char *text, *cause;
    } bad[] = {
        {"{\"question\": \"Who?\", \"answer\": \"a\", \"statements\": 5}",
         "neither a text nor a list"},
        {"{\"question\": \"Who?\", \"answer\": \"a\", \"statements\": [\"a\", null]}",
         "a statement is no text"},
        {"{\"question\": \"Who?\", \"statements\": [\"a\"]}", "no \"answer\""},
        {"{\"statements\": [\" \"]}", "an empty statement"},
        {"{\"statements\": []}", "an empty statement"},
        {"{\"question\": \"Who?\", \"answer\": \"a\"}\n{\"text\": \"b\"}",
         "a text among questions"},
        {"statement\n\" \"\n", "an empty statement"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct question_set set;
        mneme_error error = {0};
        temporary_write("facts", bad[i].text, strlen(bad[i].text));
        assert_refused(questions_load_facts(temporary_path("facts"), &set, &error), &error,
                       MNEME_BAD_INPUT, "facts:", bad[i].cause);
    }
}
END_TEST

/* WikiDYK's facts say what they ask. */
START_TEST(reads_wikidyk) {
    char path[512];
    struct question_set set;
    struct wordings wordings;
    mneme_error error = {0};
    if (!data_set("reads_wikidyk", "questions/wikidyk_1765.jsonl", path)) return;
    assert_ok(questions_load(path, &set, &error), &error);
    ck_assert_uint_eq(set.n, 1765);
    load_wordings(NULL, &wordings);
    for (size_t i = 0; i < set.n; i++) {
        ck_assert_uint_eq(set.questions[i].statements.n, 1);
        struct text_list texts = texts_of(&wordings, &set.questions[i], true);
        ck_assert_uint_eq(texts.n, wordings.forms.n + 1);
        ck_assert_str_eq(texts.texts[0], set.questions[i].statements.texts[0]);
        text_list_free(&texts);
    }
    questions_free(&set);
    wordings_free(&wordings);
}
END_TEST

Suite *wordings_suite(void) {
    Suite *suite = suite_create("wordings");
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, temporary_make, temporary_remove);
    tcase_add_test(files, built_in_wordings_are_many);
    tcase_add_test(files, built_in_wordings_are_the_file);
    tcase_add_test(files, statements_come_first_and_once);
    tcase_add_test(files, bad_wordings_are_refused_by_line);
    tcase_add_test(files, statements_alone_are_facts);
    tcase_add_test(files, bad_statements_are_refused);
    tcase_add_test(files, reads_wikidyk);
    suite_add_tcase(suite, files);
    return suite;
}
