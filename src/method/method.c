#include "method/method.h"

#include <string.h>

#define METHOD(name) &method_##name,
const struct method *const methods[N_METHODS] = {
#include "method/methods.def"
};
#undef METHOD

const struct method *method_find(const char *name) {
    for (size_t i = 0; i < N_METHODS; i++) {
        if (strcmp(methods[i]->name, name) == 0) return methods[i];
    }
    return NULL;
}

const struct recipe_rates *method_rates(const struct method *method,
                                        const struct recipe_finetune *finetune) {
    return (const struct recipe_rates *)((const char *)finetune + method->rates);
}

void method_choose(const struct method *method, float lr, struct recipe_finetune *finetune) {
    for (size_t i = 0; i < N_METHODS; i++) {
        struct recipe_rates *rates = (struct recipe_rates *)((char *)finetune + methods[i]->rates);
        *rates = (struct recipe_rates){0};
        if (methods[i] == method) *rates = (struct recipe_rates){true, {lr}, 1};
    }
}

bool method_background_needed(const struct recipe_finetune *finetune) {
    for (size_t i = 0; i < N_METHODS; i++) {
        const struct recipe_rates *rates = method_rates(methods[i], finetune);
        if (methods[i]->needs_background && rates->enabled) return true;
    }
    return false;
}
