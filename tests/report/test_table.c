/* Tables for terminals and in Markdown. */

#include <check.h>
#include <stdlib.h>

#include "report/table.h"

static void fill(struct table *table) {
    table->n_columns = 3;
    table_add(table, "name");
    table_add(table, "F1");
    table_add(table, "what");
    table_add(table, "%s", "é");
    table_add(table, "%.1f", 12.5);
    table_add(table, "%s", "x");
}

START_TEST(aligned) {
    struct table table = {0};
    struct text text = {0};
    fill(&table);
    table_print(&table, &text);
    char *printed = text_take(&text);
    ck_assert_str_eq(printed,
                     "name    F1  what\n"
                     "é     12.5     x\n");
    free(printed);
    table.last_is_text = true;
    table_print(&table, &text);
    printed = text_take(&text);
    ck_assert_str_eq(printed,
                     "name    F1  what\n"
                     "é     12.5  x\n");
    free(printed);
    table_free(&table);
}
END_TEST

START_TEST(markdown) {
    struct table table = {.last_is_text = true};
    struct text text = {0};
    fill(&table);
    table_print_markdown(&table, &text);
    char *printed = text_take(&text);
    ck_assert_str_eq(printed,
                     "| name | F1 | what |\n"
                     "|---|---:|---|\n"
                     "| é | 12.5 | x |\n");
    free(printed);
    table_free(&table);
}
END_TEST

Suite *table_suite(void) {
    Suite *suite = suite_create("table");
    TCase *tests = tcase_create("base");
    tcase_add_test(tests, aligned);
    tcase_add_test(tests, markdown);
    suite_add_tcase(suite, tests);
    return suite;
}
