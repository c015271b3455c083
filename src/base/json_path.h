#ifndef BASE_JSON_PATH_H
#define BASE_JSON_PATH_H

#include <jansson.h>

/* Values by dotted path: "finetune.smf.t" is member `t` of member `smf` of member `finetune`. */

/* NULL if there is none, or if what is on the way is no object. */
json_t *json_find(const json_t *object, const char *path);
/* Sets a value, making the objects on the way. Takes over the value, as jansson's `_new` does.
 * Nonzero without memory, when something on the way is no object, and when a part is empty or not
 * UTF-8. */
int json_put(json_t *object, const char *path, json_t *value);
/* Does nothing when there is none. */
void json_remove(json_t *object, const char *path);

#endif
