#include "experiment/machine.h"

#include <mneme/info.h>

json_t *machine_to_json(void) {
    mneme_info info;
    mneme_info_get(&info, NULL);
    return json_pack("{s:s, s:s, s:I, s:s, s:s}", "cpu", info.cpu, "isa", info.isa, "threads",
                     (json_int_t)info.threads, "compiler", info.compiler, "version", info.version);
}
