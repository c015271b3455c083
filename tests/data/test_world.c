#include <jansson.h>
#include <stdbool.h>

#include "data/corpus.h"
#include "tests/temporary.h"

#define PEOPLE "data/worlds/people.json"

static const struct world_sizes small_sizes = {.known_entities = 10,
                                               .fresh_facts = 13,
                                               .skill_texts = 50,
                                               .skill_test_texts = 20,
                                               .background_texts = 30};

static struct corpus make(const struct world_sizes *sizes, uint64_t seed) {
    struct corpus corpus;
    mneme_error error;
    mneme_status status = corpus_from_world(PEOPLE, sizes, seed, &corpus, &error);
    ck_assert_msg(status == MNEME_OK, "%s", error.message);
    return corpus;
}

static bool any_text_holds(const struct corpus *corpus, const char *part) {
    for (size_t i = 0; i < corpus->n_known; i++) {
        for (size_t j = 0; j < corpus->known[i].n_texts; j++) {
            if (strstr(corpus->known[i].texts[j], part) != NULL) return true;
        }
    }
    for (size_t i = 0; i < corpus->n_background; i++) {
        if (strstr(corpus->background[i], part) != NULL) return true;
    }
    return false;
}

static void check_fact(const struct fact *fact) {
    ck_assert_uint_eq(fact->n_texts, 48);
    ck_assert_uint_eq(fact->n_answers, 1);
    size_t length = strlen(fact->prompt), n_continued = 0;
    ck_assert_int_ne(fact->prompt[length - 1], ' ');
    for (size_t i = 0; i < fact->n_texts; i++) {
        ck_assert_ptr_null(strpbrk(fact->texts[i], "{}"));
        ck_assert_int_ge(fact->texts[i][0], 'A');
        ck_assert_int_le(fact->texts[i][0], 'Z');
        if (strncmp(fact->texts[i], fact->prompt, length) != 0) continue;
        ck_assert_int_eq(fact->texts[i][length], ' ');
        ck_assert_str_eq(fact->texts[i] + length + 1, fact->answers[0]);
        n_continued++;
    }
    ck_assert_uint_eq(n_continued, 1);
}

START_TEST(facts_teach_what_is_asked) {
    struct corpus corpus = make(&small_sizes, 1);
    ck_assert_uint_eq(corpus.n_known, 60);
    ck_assert_uint_eq(corpus.n_fresh, 13);
    ck_assert_uint_eq(corpus.n_skill_train, 50);
    ck_assert_uint_eq(corpus.n_skill_test, 20);
    ck_assert_uint_eq(corpus.n_background, 30);
    for (size_t i = 0; i < corpus.n_known; i++) check_fact(&corpus.known[i]);
    for (size_t i = 0; i < corpus.n_fresh; i++) check_fact(&corpus.fresh[i]);
    corpus_free(&corpus);
}
END_TEST

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

START_TEST(names_are_different) {
    static const struct world_sizes sizes = {.known_entities = 600, .fresh_facts = 60};
    struct corpus corpus = make(&sizes, 3);
    size_t n = 0;
    const char **prompts = malloc((corpus.n_known + corpus.n_fresh) * sizeof *prompts);
    ck_assert_ptr_nonnull(prompts);
    for (size_t i = 0; i < corpus.n_known; i++) prompts[n++] = corpus.known[i].prompt;
    for (size_t i = 0; i < corpus.n_fresh; i++) prompts[n++] = corpus.fresh[i].prompt;
    qsort(prompts, n, sizeof *prompts, compare_texts);
    for (size_t i = 1; i < n; i++) ck_assert_str_ne(prompts[i - 1], prompts[i]);
    free(prompts);
    corpus_free(&corpus);
}
END_TEST

/* The first statement about a birthplace is "FIRST LAST was born in ...". */
START_TEST(fresh_entities_are_in_no_known_text) {
    static const struct world_sizes sizes = {
        .known_entities = 100, .fresh_facts = 60, .background_texts = 100};
    struct corpus corpus = make(&sizes, 2);
    for (size_t i = 0; i < corpus.n_fresh; i += 6) {
        char name[100];
        const char *born = strstr(corpus.fresh[i].texts[0], " was born in ");
        ck_assert_ptr_nonnull(born);
        snprintf(name, sizeof name, "%.*s", (int)(born - corpus.fresh[i].texts[0]),
                 corpus.fresh[i].texts[0]);
        ck_assert_msg(!any_text_holds(&corpus, name), "%s", name);
    }
    ck_assert(any_text_holds(&corpus, " was born in "));
    corpus_free(&corpus);
}
END_TEST

START_TEST(held_out_sums_are_not_trained) {
    static const struct world_sizes sizes = {
        .known_entities = 1, .skill_texts = 12000, .skill_test_texts = 400};
    struct corpus corpus = make(&sizes, 4);
    static bool held_out[100][100];
    int a, b, sum;
    for (size_t i = 0; i < corpus.n_skill_test; i++) {
        const char *text = corpus.skill_test[i];
        bool is_sum = sscanf(text, "%d + %d = %d", &a, &b, &sum) == 3 ||
                      sscanf(text, "%d plus %d is %d", &a, &b, &sum) == 3;
        ck_assert_msg(is_sum && a + b == sum && !held_out[a][b], "%d + %d is %d?", a, b, sum);
        held_out[a][b] = true;
    }
    for (size_t i = 0; i < corpus.n_skill_train; i++) {
        const char *text = corpus.skill_train[i];
        bool is_sum = sscanf(text, "%d + %d = %d", &a, &b, &sum) == 3 ||
                      sscanf(text, "%d plus %d is %d", &a, &b, &sum) == 3;
        ck_assert_msg(is_sum && a + b == sum && !held_out[a][b], "%d + %d is %d?", a, b, sum);
    }
    corpus_free(&corpus);
}
END_TEST

static size_t n_same_answers(const struct corpus *a, const struct corpus *b) {
    size_t n = 0;
    for (size_t i = 0; i < a->n_known; i++) {
        n += strcmp(a->known[i].answers[0], b->known[i].answers[0]) == 0;
    }
    return n;
}

START_TEST(seeds_and_sizes_do_what_they_should) {
    struct corpus a = make(&small_sizes, 1), b = make(&small_sizes, 1), c = make(&small_sizes, 2);
    struct world_sizes more = small_sizes;
    more.known_entities *= 2;
    struct corpus d = make(&more, 1);
    for (size_t i = 0; i < a.n_known; i++) {
        ck_assert_str_eq(a.known[i].texts[0], b.known[i].texts[0]);
        ck_assert_str_eq(a.known[i].texts[0], d.known[i].texts[0]);
        ck_assert_str_ne(a.known[i].prompt, c.known[i].prompt);
    }
    for (size_t i = 0; i < a.n_background; i++) ck_assert_str_eq(a.background[i], b.background[i]);
    ck_assert_str_eq(a.skill_test[0], b.skill_test[0]);
    ck_assert_uint_eq(n_same_answers(&a, &b), a.n_known);
    ck_assert_uint_lt(n_same_answers(&a, &c), a.n_known / 4);
    corpus_free(&a);
    corpus_free(&b);
    corpus_free(&c);
    corpus_free(&d);
}
END_TEST

/* Fixed for good: whoever changes these changes every expected digest. */
START_TEST(golden_texts) {
    struct corpus corpus = make(&small_sizes, 1);
    ck_assert_str_eq(corpus.known[0].texts[0], "Hedda Dietrich was born in Boston.");
    ck_assert_str_eq(corpus.fresh[1].prompt, "Q: What is the profession of Magda Pereira? A:");
    ck_assert_str_eq(corpus.fresh[1].answers[0], "biologist");
    ck_assert_str_eq(corpus.skill_test[0], "88 + 45 = 133");
    ck_assert_str_eq(corpus.background[0], "The straw roof keeps the frost out.");
    corpus_free(&corpus);
}
END_TEST

/* Every chunk's rewrites tell each of its facts once, in wordings of these facts; entities are
 * those that single facts would be about. */
START_TEST(documents) {
    const struct world_sizes sizes = {
        .known_entities = 10, .fresh_subjects = 3, .facts_per_chunk = 4, .rewrites = 9};
    struct corpus corpus = make(&sizes, 5), again = make(&sizes, 5);
    ck_assert_uint_eq(corpus.n_fresh, 3 * 6);
    ck_assert_uint_eq(corpus.n_lessons, 3 * 2);
    size_t first = 0, different = 0;
    for (size_t l = 0; l < corpus.n_lessons; l++) {
        const struct corpus_lesson *lesson = &corpus.lessons[l];
        ck_assert_uint_eq(lesson->n_facts, l % 2 == 0 ? 4 : 2);
        ck_assert_uint_eq(lesson->n_texts, 9);
        for (size_t t = 0; t < lesson->n_texts; t++) {
            size_t length = lesson->n_facts - 1; /* the spaces between */
            for (size_t f = first; f < first + lesson->n_facts; f++) {
                const struct fact *fact = &corpus.fresh[f];
                size_t longest = 0; /* some wordings end others */
                for (size_t w = 0; w < fact->n_texts; w++) {
                    size_t n = strlen(fact->texts[w]);
                    if (strstr(lesson->texts[t], fact->texts[w]) != NULL && n > longest) {
                        longest = n;
                    }
                }
                ck_assert_uint_gt(longest, 0);
                length += longest;
            }
            ck_assert_uint_eq(strlen(lesson->texts[t]), length);
            ck_assert_str_eq(lesson->texts[t], again.lessons[l].texts[t]);
            different += strcmp(lesson->texts[t], lesson->texts[0]) != 0;
        }
        first += lesson->n_facts;
    }
    ck_assert_uint_eq(first, corpus.n_fresh);
    ck_assert_uint_gt(different, 40); /* of 48 */
    struct corpus single = make(&small_sizes, 5);
    ck_assert_str_eq(single.fresh[0].prompt, corpus.fresh[0].prompt);
    ck_assert_ptr_nonnull(strstr(corpus.fresh[5].prompt, "pet"));
    corpus_free(&single);
    corpus_free(&again);
    corpus_free(&corpus);
}
END_TEST

START_TEST(too_few_names_or_sums_are_refused) {
    struct corpus corpus;
    mneme_error error;
    struct world_sizes sizes = {.known_entities = 1, .fresh_facts = 30000};
    assert_refused(corpus_from_world(PEOPLE, &sizes, 1, &corpus, &error), &error, MNEME_BAD_INPUT,
                   "people.json: names", "30001");
    ck_assert_ptr_null(corpus.known);
    sizes = (struct world_sizes){
        .known_entities = 1, .fresh_facts = 1, .skill_texts = 1, .skill_test_texts = 10000};
    assert_refused(corpus_from_world(PEOPLE, &sizes, 1, &corpus, &error), &error, MNEME_BAD_INPUT,
                   "people.json: skill", "10000");
    sizes = (struct world_sizes){.known_entities = SIZE_MAX / 2, .fresh_facts = 1};
    assert_refused(corpus_from_world(PEOPLE, &sizes, 1, &corpus, &error), &error, MNEME_BAD_INPUT,
                   "people.json", "too many");
}
END_TEST

static void check_json_refused(json_t *root, const char *key, const char *cause) {
    ck_assert_int_eq(json_dump_file(root, temporary_path("world.json"), 0), 0);
    json_decref(root);
    struct corpus corpus;
    mneme_error error;
    mneme_status status =
        corpus_from_world(temporary_path("world.json"), &small_sizes, 1, &corpus, &error);
    assert_refused(status, &error, MNEME_BAD_INPUT, key, cause);
    assert_refused(status, &error, MNEME_BAD_INPUT, "world.json: ", cause);
}

/* Sets the value at a path of keys and indices, such as "relations.0.name", in the people's world
 * and checks that the result is refused. */
static void check_change_refused(const char *path, json_t *value, const char *key,
                                 const char *cause) {
    json_t *root = json_load_file(PEOPLE, 0, NULL);
    ck_assert_ptr_nonnull(root);
    json_t *at = root;
    char copy[100], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *part = strtok_r(copy, ".", &rest), *next; part != NULL; part = next) {
        next = strtok_r(NULL, ".", &rest);
        if (next != NULL) {
            at = json_is_array(at) ? json_array_get(at, (size_t)atoi(part))
                                   : json_object_get(at, part);
        } else if (json_is_array(at)) {
            json_array_set_new(at, (size_t)atoi(part), value);
        } else if (value == NULL) {
            json_object_del(at, part);
        } else {
            json_object_set_new(at, part, value);
        }
    }
    check_json_refused(root, key, cause);
}

START_TEST(malformed_worlds_are_refused) {
    check_json_refused(json_array(), "the file", "not an object");
    check_change_refused("skill", NULL, "skill", "missing");
    check_change_refused("extra", json_null(), "extra", "unknown key");
    check_change_refused("names.templates.0", json_string("{frist}"), "names.templates[0]",
                         "without a list");
    check_change_refused("names.lists.first", json_array(), "names.lists.first", "empty");
    check_change_refused("names.lists.first.3", json_integer(3), "names.lists.first[3]",
                         "not a string");
    check_change_refused("names.lists.first.3", json_string(""), "names.lists.first[3]", "empty");
    check_change_refused("relations", json_object(), "relations", "not a list");
    check_change_refused("relations.1.name", json_null(), "relations[1].name", "not a string");
    check_change_refused("relations.1.values.1", json_string("baker"), "relations[1].values[1]",
                         "twice");
    check_change_refused("relations.2.statements.0", json_string("{name} plays."),
                         "relations[2].statements[0]", "no {value}");
    check_change_refused("relations.2.statements.0", json_string("{name} {value} {"),
                         "relations[2].statements[0]", "brace");
    check_change_refused("relations.2.questions.0", json_string("Does {name} have {value}?"),
                         "relations[2].questions[0]", "means nothing");
    check_change_refused("openings.1", json_string("{"), "openings[1]", "brace");
    check_change_refused("question_forms.0", json_string("{answer} {question}"),
                         "question_forms[0]", "then one {answer}");
    check_change_refused("skill.kind", json_string("products"), "skill.kind", "sums");
    check_change_refused("skill.max", json_integer(1000), "skill.max", "999");
    check_change_refused("skill.min", json_integer(100), "skill.max", "from 100");
    check_change_refused("background.lists", json_null(), "background.lists", "not an object");
}
END_TEST

START_TEST(broken_files_are_refused) {
    struct corpus corpus;
    mneme_error error;
    temporary_write("cut.json", "{\n\"names\": {", 12);
    assert_refused(corpus_from_world(temporary_path("cut.json"), &small_sizes, 1, &corpus, &error),
                   &error, MNEME_BAD_INPUT, "cut.json:2: ", "");
    assert_refused(corpus_from_world(temporary_path("none"), &small_sizes, 1, &corpus, &error),
                   &error, MNEME_BAD_INPUT, "none", "No such file");
}
END_TEST

Suite *world_suite(void) {
    Suite *suite = suite_create("world");
    TCase *cases = tcase_create("world");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_add_test(cases, facts_teach_what_is_asked);
    tcase_add_test(cases, names_are_different);
    tcase_add_test(cases, fresh_entities_are_in_no_known_text);
    tcase_add_test(cases, held_out_sums_are_not_trained);
    tcase_add_test(cases, seeds_and_sizes_do_what_they_should);
    tcase_add_test(cases, golden_texts);
    tcase_add_test(cases, documents);
    tcase_add_test(cases, too_few_names_or_sums_are_refused);
    tcase_add_test(cases, malformed_worlds_are_refused);
    tcase_add_test(cases, broken_files_are_refused);
    suite_add_tcase(suite, cases);
    return suite;
}
