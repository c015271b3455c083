#include "model/batch_builder.h"

#include "nn/cross_entropy.h"

mneme_status batch_builder_open(struct batch_builder *builder, size_t max_tokens,
                                mneme_error *error) {
    *builder = (struct batch_builder){.max_tokens = max_tokens};
    const struct arena_piece pieces[] = {{&builder->tokens, max_tokens, sizeof(int32_t)},
                                         {&builder->targets, max_tokens, sizeof(int32_t)},
                                         {&builder->positions, max_tokens, sizeof(int32_t)},
                                         {&builder->starts, max_tokens + 1, sizeof(size_t)},
                                         {&builder->pasts, max_tokens, sizeof(size_t)}};
    return arena_layout(&builder->arena, sizeof pieces / sizeof *pieces, pieces, "a batch", error);
}

void batch_builder_close(struct batch_builder *builder) {
    arena_close(&builder->arena);
    *builder = (struct batch_builder){0};
}

void batch_builder_clear(struct batch_builder *builder) {
    builder->n_tokens = 0;
    builder->n_sequences = 0;
    builder->starts[0] = 0;
}

bool batch_builder_add(struct batch_builder *builder, size_t n, const int32_t *inputs,
                       const int32_t *targets, size_t past) {
    if (n > builder->max_tokens - builder->n_tokens) return false;
    for (size_t i = 0; i < n; i++) {
        size_t at = builder->n_tokens + i;
        builder->tokens[at] = inputs[i];
        builder->targets[at] = targets == NULL ? CROSS_ENTROPY_IGNORE : targets[i];
        builder->positions[at] = (int32_t)(past + i);
    }
    builder->pasts[builder->n_sequences++] = past;
    builder->n_tokens += n;
    builder->starts[builder->n_sequences] = builder->n_tokens;
    return true;
}

bool batch_builder_add_text(struct batch_builder *builder, const struct token_texts *texts,
                            size_t i) {
    const int32_t *inputs = texts->tokens.ids + texts->starts[i];
    return batch_builder_add(builder, texts->lengths[i], inputs, inputs + 1, 0);
}

bool batch_builder_add_text_from(struct batch_builder *builder, const struct token_texts *texts,
                                 size_t i, size_t first_target) {
    const size_t first = builder->n_tokens;
    if (!batch_builder_add_text(builder, texts, i)) return false;
    for (size_t at = 0; at < first_target && first + at < builder->n_tokens; at++) {
        builder->targets[first + at] = CROSS_ENTROPY_IGNORE;
    }
    return true;
}

struct batch batch_builder_part(const struct batch_builder *builder, size_t first, size_t end,
                                size_t *starts) {
    size_t origin = builder->starts[first];
    for (size_t i = first; i <= end; i++) starts[i - first] = builder->starts[i] - origin;
    return (struct batch){.n_tokens = builder->starts[end] - origin,
                          .tokens = builder->tokens + origin,
                          .targets = builder->targets + origin,
                          .positions = builder->positions + origin,
                          .n_sequences = end - first,
                          .starts = starts};
}

struct batch batch_builder_whole(const struct batch_builder *builder) {
    return (struct batch){.n_tokens = builder->n_tokens,
                          .tokens = builder->tokens,
                          .targets = builder->targets,
                          .positions = builder->positions,
                          .n_sequences = builder->n_sequences,
                          .starts = builder->starts};
}
