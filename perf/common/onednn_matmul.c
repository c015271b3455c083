#include "perf/common/onednn_matmul.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>

struct onednn_matmul {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive;
    dnnl_memory_t a, b, c;
};

static bool ok(dnnl_status_t status) {
    return status == dnnl_success;
}

static bool describe(dnnl_memory_desc_t *desc, size_t rows, size_t columns, bool transposed) {
    const dnnl_dims_t dims = {(dnnl_dim_t)rows, (dnnl_dim_t)columns};
    return ok(
        dnnl_memory_desc_init_by_tag(desc, 2, dims, dnnl_f32, transposed ? dnnl_ba : dnnl_ab));
}

static bool wait(struct onednn_matmul *m) {
    return ok(dnnl_stream_wait(m->stream));
}

/* m->b becomes a copy of B in the layout that the primitive wants. */
static bool pack(struct onednn_matmul *m, const dnnl_memory_desc_t *stored,
                 const dnnl_memory_desc_t *wanted, float *b) {
    dnnl_memory_t plain = NULL;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t reorder = NULL;
    bool fine =
        ok(dnnl_memory_create(&plain, stored, m->engine, b)) &&
        ok(dnnl_memory_create(&m->b, wanted, m->engine, DNNL_MEMORY_ALLOCATE)) &&
        ok(dnnl_reorder_primitive_desc_create(&desc, stored, m->engine, wanted, m->engine, NULL)) &&
        ok(dnnl_primitive_create(&reorder, desc));
    if (fine) {
        const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, plain}, {DNNL_ARG_TO, m->b}};
        fine = ok(dnnl_primitive_execute(reorder, m->stream, 2, arguments)) && wait(m);
    }
    dnnl_primitive_destroy(reorder);
    dnnl_primitive_desc_destroy(desc);
    dnnl_memory_destroy(plain);
    return fine;
}

static bool make_attributes(dnnl_primitive_attr_t *attributes, bool accumulate) {
    dnnl_post_ops_t after = NULL;
    bool fine = ok(dnnl_primitive_attr_create(attributes));
    if (fine && accumulate) {
        fine = ok(dnnl_post_ops_create(&after)) && ok(dnnl_post_ops_append_sum(after, 1.0f)) &&
               ok(dnnl_primitive_attr_set_post_ops(*attributes, after));
        dnnl_post_ops_destroy(after);
    }
    return fine;
}

static bool make(struct onednn_matmul *m, const dnnl_memory_desc_t *a, const dnnl_memory_desc_t *b,
                 const dnnl_memory_desc_t *c, bool accumulate, bool packed_b, float *b_data) {
    dnnl_memory_desc_t any = *b;
    dnnl_matmul_desc_t operation;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_attr_t attributes = NULL;
    bool fine = true;
    if (packed_b) {
        fine = ok(dnnl_memory_desc_init_by_tag(&any, 2, b->dims, dnnl_f32, dnnl_format_tag_any));
    }
    fine = fine && ok(dnnl_matmul_desc_init(&operation, a, &any, NULL, c)) &&
           make_attributes(&attributes, accumulate) &&
           ok(dnnl_primitive_desc_create(&desc, &operation, attributes, m->engine, NULL)) &&
           ok(dnnl_primitive_create(&m->primitive, desc));
    if (fine) {
        const dnnl_memory_desc_t *wanted =
            dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
        fine = dnnl_memory_desc_equal(wanted, b)
                   ? ok(dnnl_memory_create(&m->b, b, m->engine, b_data))
                   : pack(m, b, wanted, b_data);
    }
    dnnl_primitive_desc_destroy(desc);
    dnnl_primitive_attr_destroy(attributes);
    return fine;
}

struct onednn_matmul *onednn_matmul_open(size_t m, size_t n, size_t k, bool a_transposed,
                                         bool b_transposed, bool accumulate, bool packed_b,
                                         float *a, float *b, float *c) {
    struct onednn_matmul *made = calloc(1, sizeof *made);
    dnnl_memory_desc_t a_desc, b_desc, c_desc;
    if (made == NULL) return NULL;
    bool fine = describe(&a_desc, m, k, a_transposed) && describe(&b_desc, k, n, b_transposed) &&
                describe(&c_desc, m, n, false) &&
                ok(dnnl_engine_create(&made->engine, dnnl_cpu, 0)) &&
                ok(dnnl_stream_create(&made->stream, made->engine, dnnl_stream_default_flags)) &&
                ok(dnnl_memory_create(&made->a, &a_desc, made->engine, a)) &&
                ok(dnnl_memory_create(&made->c, &c_desc, made->engine, c)) &&
                make(made, &a_desc, &b_desc, &c_desc, accumulate, packed_b, b);
    if (fine) return made;
    onednn_matmul_close(made);
    return NULL;
}

void onednn_matmul_run(struct onednn_matmul *m) {
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, m->a}, {DNNL_ARG_WEIGHTS, m->b}, {DNNL_ARG_DST, m->c}};
    if (!ok(dnnl_primitive_execute(m->primitive, m->stream, 3, arguments)) || !wait(m)) abort();
}

void onednn_matmul_close(struct onednn_matmul *m) {
    if (m == NULL) return;
    dnnl_memory_destroy(m->a);
    dnnl_memory_destroy(m->b);
    dnnl_memory_destroy(m->c);
    dnnl_primitive_destroy(m->primitive);
    dnnl_stream_destroy(m->stream);
    dnnl_engine_destroy(m->engine);
    free(m);
}
