#ifndef TEXT_TEMPLATE_H
#define TEXT_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

/* Texts with places to fill: "{name} was born in {value}.". A place is a word in braces; braces
 * have no other use. */

/* The next place at or after `from`: its '{', with *length bytes up to and with the '}'. NULL when
 * there is none. Needs template_is_valid. */
const char *template_next(const char *from, size_t *length);

/* Every '{' has its '}' before the next brace, something between, and no '}' stands alone. */
bool template_is_valid(const char *text);

/* How often {name} stands in the template. */
size_t template_count(const char *text, const char *name);

/* What goes into the place number `occurrence` (from 0) whose name is name[0..length). */
typedef const char *template_fill(void *context, const char *name, size_t length,
                                  size_t occurrence);

/* The template with all its places filled; the caller frees it. NULL without memory. */
char *template_expand(const char *text, template_fill *fill, void *context);

/* Names and what goes in for them; the last has a NULL name. */
struct template_value {
    const char *name;
    const char *text;
};

/* The same with the values of an array; every place of the template must be among them. */
char *template_expand_values(const char *text, const struct template_value *values);

#endif
