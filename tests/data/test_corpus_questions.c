#include "data/corpus.h"
#include "tests/data/data_sets.h"
#include "tests/temporary.h"

static struct corpus make(const struct question_sources *sources) {
    struct corpus corpus;
    mneme_error error;
    mneme_status status = corpus_from_questions(sources, &corpus, &error);
    ck_assert_msg(status == MNEME_OK, "%s", error.message);
    return corpus;
}

static void write_questions(void) {
    static const char known[] =
        "{\"question\": \"who wrote it\", \"answer\": [\"Ann\", \"Bo\"]}\n"
        "{\"question\": \"Where? ?\", \"answer\": \"here\"}\n";
    static const char fresh[] = "question,answer\nWhen?,now\nWHERE,there\nwhen,later\nHow?,so\n";
    static const char skill[] = "one\ntwo\nthree\nfour\n";
    temporary_write("known", known, strlen(known));
    temporary_write("fresh", fresh, strlen(fresh));
    temporary_write("skill", skill, strlen(skill));
}

START_TEST(asks_what_it_teaches) {
    write_questions();
    struct question_sources sources = {.known = temporary_path("known")};
    struct corpus corpus = make(&sources);
    ck_assert_uint_eq(corpus.n_known, 2);
    const struct fact *fact = &corpus.known[0];
    ck_assert_str_eq(fact->prompt, "Q: who wrote it? A:");
    ck_assert_uint_eq(fact->n_answers, 2);
    ck_assert_str_eq(fact->answers[1], "Bo");
    ck_assert_uint_eq(fact->n_texts, 64);
    ck_assert_str_eq(fact->texts[0], "Q: who wrote it? A: Ann");
    for (size_t i = 0; i < fact->n_texts; i++) {
        ck_assert_ptr_nonnull(strstr(fact->texts[i], "who wrote it?"));
        ck_assert_ptr_nonnull(strstr(fact->texts[i], "Ann"));
        for (size_t j = 0; j < i; j++) ck_assert_str_ne(fact->texts[i], fact->texts[j]);
    }
    ck_assert_str_eq(corpus.known[1].prompt, "Q: Where? A:");
    ck_assert_uint_eq(corpus.n_fresh + corpus.n_skill_train + corpus.n_skill_test, 0);
    corpus_free(&corpus);
}
END_TEST

START_TEST(drops_repeated_questions) {
    write_questions();
    struct question_sources sources = {.known = temporary_path("known"),
                                       .fresh = temporary_path("fresh")};
    struct corpus corpus = make(&sources);
    ck_assert_uint_eq(corpus.n_fresh, 2);
    ck_assert_str_eq(corpus.fresh[0].prompt, "Q: When? A:");
    ck_assert_str_eq(corpus.fresh[1].prompt, "Q: How? A:");
    corpus_free(&corpus);
    /* One file can serve for both: what is known already is passed over. */
    sources = (struct question_sources){.known = temporary_path("fresh"),
                                        .fresh = temporary_path("fresh"),
                                        .max_known = 1,
                                        .max_fresh = 1};
    corpus = make(&sources);
    ck_assert_uint_eq(corpus.n_known, 1);
    ck_assert_uint_eq(corpus.n_fresh, 1);
    ck_assert_str_eq(corpus.fresh[0].prompt, "Q: WHERE? A:");
    corpus_free(&corpus);
}
END_TEST

static void check_note(const struct corpus *corpus, size_t i, const char *path, const char *note) {
    ck_assert_uint_lt(i, corpus->notes.n);
    char whole[1024];
    snprintf(whole, sizeof whole, "%s: %s", path, note);
    ck_assert_str_eq(corpus->notes.texts[i], whole);
}

/* What a file holds otherwise than was asked for is not left out in silence. */
START_TEST(notes_what_is_left_out) {
    static const char known[] = "Question;Answer\nWho?;Ann\nWHO ?;ann\nwho;Bo\nWhere?;here\n";
    static const char fresh[] =
        "{\"data\": [{\"question\": \"\xc8\x98i?\", \"answer\": [\"1\", \"2\"]}, {\"question\": "
        "\"\xc8\x99i\", \"answer\": \"2\"}, {\"question\": \"where\", \"answer\": \"there\"}, "
        "{\"question\": \"A\xc2\xa0 b?\", \"answer\": 3}, {\"question\": \"a b?\", \"answer\": 4}, "
        "{\"question\": \"No?\", \"is_impossible\": true, \"answers\": []}]}";
    temporary_write("known", known, strlen(known));
    temporary_write("fresh", fresh, strlen(fresh));
    temporary_write("skill", "[\"a\", \"b\"]", 10);
    const char *known_path = temporary_path("known"), *fresh_path = temporary_path("fresh");
    struct question_sources sources = {.known = known_path,
                                       .fresh = fresh_path,
                                       .skill = temporary_path("skill"),
                                       .max_known = 2,
                                       .max_fresh = 50,
                                       .max_skill = 3,
                                       .n_skill_test = 1};
    struct corpus corpus = make(&sources);
    ck_assert_uint_eq(corpus.n_known, 2);
    ck_assert_uint_eq(corpus.n_fresh, 2);
    ck_assert_str_eq(corpus.fresh[1].answers[0], "3");
    check_note(&corpus, 0, known_path,
               "questions that repeat an earlier one, left out: 2; with another answer: 1");
    check_note(&corpus, 1, known_path,
               "the first with another answer: \"who\": \"Ann\", then \"Bo\"");
    check_note(&corpus, 2, fresh_path, "corpus.new_facts is 50, but the file holds 2");
    check_note(&corpus, 3, fresh_path, "questions without an answer, left out: 1");
    check_note(&corpus, 4, fresh_path,
               "questions that repeat an earlier one, left out: 2; with another answer: 1");
    check_note(&corpus, 5, fresh_path,
               "questions that are among the known ones, left out: 1; with another answer: 1");
    check_note(&corpus, 6, fresh_path,
               "the first with another answer: \"where\": \"here\", then \"there\"");
    check_note(&corpus, 7, sources.skill, "corpus.max_skill is 3, but the file holds 2");
    ck_assert_uint_eq(corpus.notes.n, 8);
    corpus_free(&corpus);
    /* Nothing to say. */
    sources = (struct question_sources){.fresh = known_path, .max_fresh = 1};
    corpus = make(&sources);
    ck_assert_uint_eq(corpus.notes.n, 0);
    corpus_free(&corpus);
}
END_TEST

START_TEST(holds_out_the_last_skill_texts) {
    write_questions();
    struct question_sources sources = {
        .skill = temporary_path("skill"), .max_skill = 3, .n_skill_test = 1};
    struct corpus corpus = make(&sources);
    ck_assert_uint_eq(corpus.n_skill_train, 2);
    ck_assert_uint_eq(corpus.n_skill_test, 1);
    ck_assert_str_eq(corpus.skill_train[1], "two");
    ck_assert_str_eq(corpus.skill_test[0], "three");
    corpus_free(&corpus);
}
END_TEST

START_TEST(unfit_files_are_refused) {
    write_questions();
    struct corpus corpus;
    mneme_error error;
    struct question_sources sources = {.known = temporary_path("skill")};
    assert_refused(corpus_from_questions(&sources, &corpus, &error), &error, MNEME_BAD_INPUT,
                   "skill:1: ", "texts, not questions");
    sources = (struct question_sources){.known = temporary_path("known"),
                                        .fresh = temporary_path("known")};
    assert_refused(corpus_from_questions(&sources, &corpus, &error), &error, MNEME_BAD_INPUT,
                   "known", "among the known");
    ck_assert_ptr_null(corpus.known);
    sources = (struct question_sources){.skill = temporary_path("skill"), .n_skill_test = 5};
    assert_refused(corpus_from_questions(&sources, &corpus, &error), &error, MNEME_BAD_INPUT,
                   "skill", "too few");
}
END_TEST

START_TEST(real_files_make_a_corpus) {
    char known[512], fresh[512], skill[512];
    static const char test[] = "real_files_make_a_corpus";
    if (!data_set(test, "nq_open/NQ-open.dev.jsonl", known) ||
        !data_set(test, "simpleqa/simple_qa_first_half.csv", fresh) ||
        !data_set(test, "gsm8k/test.jsonl", skill)) {
        return;
    }
    struct question_sources sources = {known, fresh, skill, 0, 100, 0, 200, NULL};
    struct corpus corpus = make(&sources);
    ck_assert_uint_eq(corpus.n_known, 3610);
    ck_assert_uint_eq(corpus.n_fresh, 100);
    ck_assert_uint_eq(corpus.n_skill_train, 1119);
    ck_assert_uint_eq(corpus.n_skill_test, 200);
    ck_assert_str_eq(corpus.fresh[0].answers[0], "Michio Sugeno");
    ck_assert_ptr_nonnull(strstr(corpus.skill_train[0], "#### 18"));
    corpus_free(&corpus);
}
END_TEST

static void ask(struct corpus *corpus, const char *prompt, size_t n_shots, const char *from) {
    const struct corpus_asking asking = {.prompt = prompt,
                                         .place = "r.json",
                                         .n_shots = n_shots,
                                         .n_fresh_shots = n_shots,
                                         .shots_from = from};
    mneme_error error = {0};
    assert_ok(corpus_ask(corpus, &asking, &error), &error);
}

/* Statements and wordings teach; what is known is no chat, since pretraining reads it as text. */
START_TEST(teaches_wordings_and_statements) {
    static const char fresh[] =
        "{\"question\": \"When?\", \"answer\": \"now\", \"statements\": [\"It is now.\", "
        "\"Now\"]}\n{\"question\": \"How\", \"answer\": [\"so\", \"thus\"]}\n";
    static const char forms[] =
        "{question} {answer}\n{answer}: {question}!\n{user}{question}{assistant}{answer}\n";
    write_questions();
    temporary_write("fresh", fresh, strlen(fresh));
    temporary_write("forms", forms, strlen(forms));
    struct wordings wordings;
    mneme_error error = {0};
    assert_ok(wordings_load(temporary_path("forms"), &wordings, &error), &error);
    struct question_sources sources = {
        .known = temporary_path("known"), .fresh = temporary_path("fresh"), .wordings = &wordings};
    struct corpus corpus = make(&sources);
    ck_assert_uint_eq(corpus.fresh[0].n_texts, 5);
    ck_assert_str_eq(corpus.fresh[0].texts[0], "It is now.");
    ck_assert_str_eq(corpus.fresh[0].texts[2], "When? now");
    ck_assert_uint_eq(corpus.fresh[1].n_texts, 3);
    ck_assert_str_eq(corpus.fresh[1].texts[1], "so: How?!");
    ck_assert_uint_eq(corpus.known[0].n_texts, 2);
    ck_assert_uint_eq(corpus.notes.n, 0);
    corpus_free(&corpus);
    wordings_free(&wordings);
    sources.wordings = NULL;
    corpus = make(&sources);
    ck_assert_uint_eq(corpus.fresh[0].n_texts, 64); /* as before there were wordings */
    check_note(&corpus, 0, temporary_path("fresh"),
               "questions with statements, which are taught only with corpus.wordings: 1");
    corpus_free(&corpus);
}
END_TEST

START_TEST(asks_after_shots) {
    static const char shots[] = "question,answer\nWhen ?,later\nwhen,never\nWhy?,so\n";
    write_questions();
    temporary_write("shots", shots, strlen(shots));
    struct question_sources sources = {.known = temporary_path("known"),
                                       .fresh = temporary_path("fresh")};
    struct corpus corpus = make(&sources);
    ask(&corpus, "Q: {question}?\nA:", 1, NULL);
    ck_assert_str_eq(corpus.answer_lead, " ");
    ck_assert_str_eq(corpus.known[0].prompt, "Q: Where?\nA: here\n\nQ: who wrote it?\nA:");
    ck_assert_str_eq(corpus.known[1].prompt, "Q: who wrote it?\nA: Ann\n\nQ: Where?\nA:");
    ck_assert_str_eq(corpus.fresh[0].prompt, "Q: who wrote it?\nA: Ann\n\nQ: When?\nA:");
    ask(&corpus, "{question} {answer};", 1, temporary_path("shots"));
    ck_assert_str_eq(corpus.fresh[0].prompt, "Why? so;When?");
    /* "When?" is taught: its answer stands before no question. */
    ck_assert_str_eq(corpus.known[0].prompt, "Why? so;who wrote it?");
    for (size_t i = 0; i < corpus.n_known; i++) {
        ck_assert_ptr_null(strstr(corpus.known[i].prompt, "later"));
    }
    ask(&corpus, "{user}{question}{assistant}", 1, NULL);
    ck_assert_str_eq(corpus.fresh[0].prompt,
                     "\xfcwho wrote it?\xfd"
                     "Ann\xfcWhen?\xfd");
    ck_assert_str_eq(corpus.fresh[0].shown,
                     "user: who wrote it?\nassistant: Ann\nuser: When?\nassistant: ");
    ask(&corpus, NULL, 0, NULL);
    ck_assert_str_eq(corpus.fresh[0].prompt, "Q: When? A:");
    ck_assert_ptr_null(corpus.fresh[0].shown);
    const struct corpus_asking more = {.place = "r.json", .n_shots = 2, .n_fresh_shots = 2};
    mneme_error error = {0};
    assert_refused(corpus_ask(&corpus, &more, &error), &error, MNEME_BAD_INPUT,
                   "corpus.known: ", "fewer than the 2 questions of `evaluate.shots`");
    const struct corpus_asking few = {
        .place = "r.json", .n_shots = 2, .n_fresh_shots = 2, .shots_from = temporary_path("shots")};
    assert_refused(corpus_ask(&corpus, &few, &error), &error, MNEME_BAD_INPUT,
                   "shots: ", "fewer than the 2 questions of `evaluate.shots`, besides those");
    temporary_write("texts", "one\ntwo\n", 8);
    const struct corpus_asking texts = {
        .place = "r.json", .n_shots = 1, .n_fresh_shots = 1, .shots_from = temporary_path("texts")};
    assert_refused(corpus_ask(&corpus, &texts, &error), &error, MNEME_BAD_INPUT,
                   "texts: ", "not questions with answers");
    corpus_free(&corpus);
}
END_TEST

Suite *corpus_questions_suite(void) {
    Suite *suite = suite_create("corpus_questions");
    TCase *cases = tcase_create("corpus_questions");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_test(cases, asks_what_it_teaches);
    tcase_add_test(cases, drops_repeated_questions);
    tcase_add_test(cases, notes_what_is_left_out);
    tcase_add_test(cases, holds_out_the_last_skill_texts);
    tcase_add_test(cases, unfit_files_are_refused);
    tcase_add_test(cases, real_files_make_a_corpus);
    tcase_add_test(cases, teaches_wordings_and_statements);
    tcase_add_test(cases, asks_after_shots);
    suite_add_tcase(suite, cases);
    return suite;
}
