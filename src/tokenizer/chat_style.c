#include "tokenizer/chat_style.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/path.h"
#include "base/text.h"
#include "text/form.h"

/* A chat template larger than this is surely not one. */
#define MAX_TEMPLATE_BYTES ((size_t)1 << 20)

/* Around a mark that is a special token where the tokenizer has it. */
#define MARK(text) "\1" text "\1"
#define EOS MARK("</s>")

/* What stands before and after a turn that another one follows. */
struct around {
    const char *before, *after;
};

struct chat_style {
    const char *name;
    const char *needed[2];  /* marks of its templates, and tokens of its tokenizers; "" … */
    const char *without;    /* … of others' templates alone; NULL: none */
    bool needs_template;    /* its marks are no tokens, or not only such models' */
    bool needs_tokens;      /* its marks in a template do not tell it from another style */
    bool is_system_in_user; /* the user's turn goes on where the system's ends */
    struct around system, user, assistant;
    const char *end; /* after the last turn */
};

#define IM_END MARK("<|im_end|>")
#define EOT MARK("<|eot_id|>")
#define HEADER(role) MARK("<|start_header_id|>") role MARK("<|end_header_id|>") "\n\n"

/* As the models' own templates write them. The first that fits counts. */
static const struct chat_style styles[] = {
    {.name = "ChatML",
     .needed = {"<|im_start|>", "<|im_end|>"},
     .without = "<|im_sep|>",
     .system = {MARK("<|im_start|>") "system\n", IM_END "\n"},
     .user = {MARK("<|im_start|>") "user\n", IM_END "\n"},
     .assistant = {MARK("<|im_start|>") "assistant\n", IM_END "\n"},
     .end = IM_END},
    {.name = "Llama 3",
     .needed = {"<|start_header_id|>", "<|eot_id|>"},
     .system = {HEADER("system"), EOT},
     .user = {HEADER("user"), EOT},
     .assistant = {HEADER("assistant"), EOT},
     .end = EOT},
    {.name = "Llama 2",
     .needed = {"[INST]", "<<SYS>>"},
     .needs_template = true,
     .is_system_in_user = true,
     .system = {"[INST] <<SYS>>\n", "\n<</SYS>>\n\n"},
     .user = {"[INST] ", " [/INST]"},
     .assistant = {" ", " " EOS MARK("<s>")},
     .end = " " EOS},
    {.name = "Mistral",
     .needed = {"[INST]", "[/INST]"},
     .needs_tokens = true,
     .is_system_in_user = true,
     .system = {MARK("[INST]") " ", "\n\n"},
     .user = {MARK("[INST]") " ", MARK("[/INST]")},
     .assistant = {" ", EOS},
     .end = EOS},
    {.name = "the first Mistral",
     .needed = {"[INST]", "[/INST]"},
     .needs_template = true,
     .is_system_in_user = true,
     .system = {"[INST] ", "\n\n"},
     .user = {"[INST] ", " [/INST]"},
     .assistant = {" ", EOS},
     .end = EOS},
    {.name = "Zephyr",
     .needed = {"<|user|>", "<|assistant|>"},
     .without = "<|end|>",
     .system = {MARK("<|system|>") "\n", EOS "\n"},
     .user = {MARK("<|user|>") "\n", EOS "\n"},
     .assistant = {MARK("<|assistant|>") "\n", EOS "\n"},
     .end = EOS},
};

#define N_STYLES (sizeof styles / sizeof *styles)

/* *id becomes that of the special token text[0..length); TOKEN_NONE where there is none. */
static mneme_status find_token(struct tokenizer *tokenizer, const char *text, size_t length,
                               int32_t *id, mneme_error *error) {
    struct token_list prompt = {0}, data = {0};
    mneme_status status = tokenizer_encode(tokenizer, text, length, &prompt, error);
    THEN(tokenizer_encode_data(tokenizer, text, length, &data, error));
    const bool is_special =
        status == MNEME_OK && prompt.n == 1 && (data.n != 1 || data.ids[0] != prompt.ids[0]);
    *id = is_special ? prompt.ids[0] : TOKEN_NONE;
    token_list_free(&prompt);
    token_list_free(&data);
    return status;
}

/* Whether the tokenizer has both tokens of a style. */
static mneme_status has_tokens(const struct chat_style *style, struct tokenizer *tokenizer,
                               bool *has, mneme_error *error) {
    *has = true;
    for (size_t i = 0; i < 2 && *has; i++) {
        int32_t id;
        TRY(find_token(tokenizer, style->needed[i], strlen(style->needed[i]), &id, error));
        *has = id != TOKEN_NONE;
    }
    return MNEME_OK;
}

/* Whether a template writes the style's marks. */
static bool is_in_template(const struct chat_style *style, const char *template) {
    return strstr(template, style->needed[0]) != NULL &&
           strstr(template, style->needed[1]) != NULL &&
           (style->without == NULL || strstr(template, style->without) == NULL);
}

/* Whether what ends a turn of the style is a token. */
static mneme_status has_end(const struct chat_style *style, struct tokenizer *tokenizer, bool *has,
                            mneme_error *error) {
    int32_t end;
    mneme_status status = chat_style_end(style, tokenizer, &end, error);
    *has = end != TOKEN_NONE;
    return status;
}

mneme_status chat_style_find(struct tokenizer *tokenizer, const char *chat_template,
                             const struct chat_style **style, mneme_error *error) {
    *style = NULL;
    for (size_t i = 0; i < N_STYLES && *style == NULL; i++) {
        bool fits = chat_template != NULL ? is_in_template(&styles[i], chat_template)
                                          : !styles[i].needs_template;
        if (fits && (chat_template == NULL || styles[i].needs_tokens)) {
            TRY(has_tokens(&styles[i], tokenizer, &fits, error));
        }
        if (fits) TRY(has_end(&styles[i], tokenizer, &fits, error));
        if (fits) *style = &styles[i];
    }
    return MNEME_OK;
}

/* The template of a tokenizer_config.json: a text, or of a list of named ones the default. */
static const char *template_of(const json_t *config) {
    const json_t *value = json_object_get(config, "chat_template"), *named;
    size_t i;
    json_array_foreach(value, i, named) {
        const char *name = json_string_value(json_object_get(named, "name"));
        if (name != NULL && strcmp(name, "default") == 0) {
            return json_string_value(json_object_get(named, "template"));
        }
    }
    return json_string_value(value);
}

static mneme_status find_by_config(struct tokenizer *tokenizer, const char *path,
                                   const struct chat_style **style, mneme_error *error) {
    json_t *config;
    TRY(json_read_file(path, JSON_MAX_BYTES, &config, error));
    mneme_status status = chat_style_find(tokenizer, template_of(config), style, error);
    json_decref(config);
    return status;
}

mneme_status chat_style_of_folder(struct tokenizer *tokenizer, const char *folder,
                                  const struct chat_style **style, mneme_error *error) {
    const struct path template = path_in(folder, "chat_template.jinja");
    const struct path config = path_in(folder, "tokenizer_config.json");
    char *text;
    size_t length;
    if (!file_exists(template.text)) {
        return file_exists(config.text) ? find_by_config(tokenizer, config.text, style, error)
                                        : chat_style_find(tokenizer, NULL, style, error);
    }
    TRY(file_read_text(template.text, MAX_TEMPLATE_BYTES, &text, &length, error));
    mneme_status status = chat_style_find(tokenizer, text, style, error);
    free(text);
    return status;
}

const char *chat_style_name(const struct chat_style *style) {
    return style->name;
}

mneme_status chat_style_end(const struct chat_style *style, struct tokenizer *tokenizer,
                            int32_t *end, mneme_error *error) {
    const char *mark = strchr(style->end, '\1') + 1;
    return find_token(tokenizer, mark, strcspn(mark, "\1"), end, error);
}

/* A text that becomes tokens: what was said since the last special token waits in `section`. */
struct speech {
    struct tokenizer *tokenizer;
    struct token_list *list;
    struct text section;
    mneme_error *error;
};

static mneme_status flush(struct speech *s) {
    size_t length = s->section.length;
    char *text = text_take(&s->section);
    if (length == 0) return MNEME_OK;
    if (text == NULL) return error_set_memory(s->error, "a chat");
    mneme_status status = tokenizer_encode_data(s->tokenizer, text, length, s->list, s->error);
    free(text);
    return status;
}

/* Says a mark: a token of its own, or text. */
static mneme_status say_mark(struct speech *s, const char *mark, size_t length) {
    int32_t id;
    TRY(find_token(s->tokenizer, mark, length, &id, s->error));
    if (id == TOKEN_NONE) {
        text_add(&s->section, "%.*s", (int)length, mark);
        return MNEME_OK;
    }
    TRY(flush(s));
    return token_list_append(s->list, &id, 1, s->error);
}

/* Says what stands around a turn, around[0..n), with its marks. */
static mneme_status say_part(struct speech *s, const char *around, size_t n) {
    const char *end = around + n;
    for (bool is_mark = false; around < end; is_mark = !is_mark) {
        size_t length = strcspn(around, "\1");
        if (length > (size_t)(end - around)) length = (size_t)(end - around);
        if (is_mark) {
            TRY(say_mark(s, around, length));
        } else {
            text_add(&s->section, "%.*s", (int)length, around);
        }
        around += length + 1;
    }
    return MNEME_OK;
}

static mneme_status say_around(struct speech *s, const char *around) {
    return say_part(s, around, strlen(around));
}

/* Says what stands before a turn that is still empty: the blank before its text comes with that. */
static mneme_status say_opening(struct speech *s, const char *before) {
    size_t n = strlen(before);
    while (n > 0 && before[n - 1] == ' ') n--;
    return say_part(s, before, n);
}

static const struct around *around_turn(const struct chat_style *style, char turn) {
    switch ((unsigned char)turn) {
        case FORM_SYSTEM:
            return &style->system;
        case FORM_USER:
            return &style->user;
        default:
            return &style->assistant;
    }
}

/* Says one turn; `before` is the turn before it, or 0. Returns what follows it. */
static mneme_status say_turn(struct speech *s, const struct chat_style *style, char before,
                             const char **at) {
    const char turn = *(*at)++;
    size_t length = 0;
    const bool goes_on = style->is_system_in_user && before == (char)FORM_SYSTEM;
    if (before != 0) TRY(say_around(s, around_turn(style, before)->after));
    const char *opening = goes_on ? "" : around_turn(style, turn)->before;
    TRY(**at == '\0' ? say_opening(s, opening) : say_around(s, opening));
    while ((*at)[length] != '\0' && !form_is_turn((*at)[length])) length++;
    text_add(&s->section, "%.*s", (int)length, *at);
    *at += length;
    return MNEME_OK;
}

mneme_status chat_style_encode(const struct chat_style *style, struct tokenizer *tokenizer,
                               const char *text, bool is_closed, struct token_list *list,
                               mneme_error *error) {
    struct speech speech = {.tokenizer = tokenizer, .list = list, .error = error};
    mneme_status status = MNEME_OK;
    char before = 0;
    if (!form_is_chat(text)) {
        return tokenizer_encode_data(tokenizer, text, strlen(text), list, error);
    }
    assert(style != NULL && form_is_turn(*text));
    while (*text != '\0' && status == MNEME_OK) {
        const char turn = *text;
        status = say_turn(&speech, style, before, &text);
        before = turn;
    }
    if (is_closed) THEN(say_around(&speech, style->end));
    THEN(flush(&speech));
    free(text_take(&speech.section));
    return status;
}
