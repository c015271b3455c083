/* config.json and recipes. */

#include "base/json_read.h"
#include "model/config.h"
#include "recipe/recipe_load.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    char path[64];
    mneme_error error = {0};
    json_t *object = NULL;
    struct model_config config;
    int descriptor = input_open(bytes, length, path);
    mneme_status status = json_read_file(path, JSON_MAX_BYTES, &object, &error);
    if (status == MNEME_OK) status = model_config_from_json(object, path, &config, &error);
    input_check(status, &error);
    json_decref(object);
    struct recipe recipe = {0};
    status = recipe_load(path, NULL, 0, &recipe, &error);
    input_check(status, &error);
    if (status == MNEME_OK) recipe_free(&recipe);
    close(descriptor);
    return 0;
}
