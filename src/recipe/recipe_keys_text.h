#ifndef RECIPE_RECIPE_KEYS_TEXT_H
#define RECIPE_RECIPE_KEYS_TEXT_H

/* The table for people: Markdown, as in docs/recipes.md, or JSON. malloc'ed; NULL without memory.
 */
char *recipe_keys_markdown(void);
char *recipe_keys_json(void);

#endif
