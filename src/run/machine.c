#include "run/machine.h"

#define PCRE2_CODE_UNIT_WIDTH 8

#include <jansson.h>
#include <omp.h>
#include <openssl/crypto.h>
#include <pcre2.h>
#include <sleef.h>
#include <stdio.h>
#include <string.h>

#include <mneme/version.h>

#include "base/thread_count.h"
#include "nn/onednn.h"
#include "simd/simd.h"

#define QUOTE_(text) #text
#define QUOTE(text) QUOTE_(text)
#define SLEEF_VERSION_TEXT \
    QUOTE(SLEEF_VERSION_MAJOR) "." QUOTE(SLEEF_VERSION_MINOR) "." QUOTE(SLEEF_VERSION_PATCHLEVEL)

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* "model name : …" of the first CPU, or the machine's architecture. */
static void read_cpu_name(char *name, size_t size) {
    snprintf(name, size, "unknown");
    FILE *stream = fopen("/proc/cpuinfo", "re");
    if (stream == NULL) return;
    char line[512];
    while (fgets(line, sizeof line, stream) != NULL) {
        const char *value = strstr(line, ": ");
        if (strncmp(line, "model name", 10) != 0 || value == NULL) continue;
        snprintf(name, size, "%.*s", (int)strcspn(value + 2, "\n"), value + 2);
        break;
    }
    fclose(stream);
}

static void list_isas(char *list, size_t size) {
    list[0] = '\0';
    for (enum simd_isa isa = SIMD_ISA_SCALAR; isa < SIMD_ISA_COUNT; isa++) {
        if (simd_table(isa) == NULL) continue;
        size_t used = strlen(list);
        snprintf(list + used, size - used, "%s%s", used > 0 ? " " : "", simd_isa_name(isa));
    }
}

static void add_library(mneme_info *info, const char *name, const char *version) {
    mneme_library *library = &info->libraries[info->n_libraries++];
    library->name = name;
    snprintf(library->version, sizeof library->version, "%s", version);
}

static void list_libraries(mneme_info *info) {
    char pcre2[64] = "";
    pcre2_config(PCRE2_CONFIG_VERSION, pcre2);
    add_library(info, "sleef", SLEEF_VERSION_TEXT);
    add_library(info, "jansson", jansson_version_str());
    add_library(info, "openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
    add_library(info, "pcre2", pcre2);
    /* "onednn 2.6.3" */
    if (onednn_version() != NULL) add_library(info, "onednn", onednn_version() + strlen("onednn "));
}

void machine_describe(mneme_info *info) {
    *info = (mneme_info){
        .version = MNEME_VERSION,
        .contract = MNEME_CONTRACT_VERSION,
        .isa = simd_table(SIMD_ISA_SCALAR) == NULL ? "none" : simd_isa_name(simd()->isa),
        .threads = (size_t)omp_get_max_threads(),
        .threads_reason = thread_count_reason(),
        .compiler = COMPILER};
    read_cpu_name(info->cpu, sizeof info->cpu);
    list_isas(info->isas, sizeof info->isas);
    list_libraries(info);
}

json_t *machine_to_json(void) {
    mneme_info info;
    machine_describe(&info);
    return json_pack("{s:s, s:s, s:I, s:s, s:s}", "cpu", info.cpu, "isa", info.isa, "threads",
                     (json_int_t)info.threads, "compiler", info.compiler, "version", info.version);
}
