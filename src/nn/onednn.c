#include "nn/onednn.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <string.h>

/* Rows of A for which the layout of packed right operands is chosen; any number can use it. */
#define TYPICAL_ROWS 512
/* Shapes that are remembered; when they are all taken, all are forgotten. */
#define MAX_SHAPES 512

/* What a primitive is made for. Strides of (row, column). */
struct shape {
    dnnl_dim_t m, n, k;
    dnnl_dim_t a_strides[2], b_strides[2], c_stride;
    bool packed, accumulate;
};

struct product {
    struct shape shape;
    dnnl_primitive_t primitive;
    dnnl_memory_t a, b, c;
};

/* The layout of packed B [k, n]. */
struct layout {
    dnnl_dim_t k, n;
    dnnl_memory_desc_t desc;
};

static struct {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    size_t n_products, n_layouts;
    struct product products[MAX_SHAPES];
    struct layout layouts[MAX_SHAPES];
} library;

static bool ok(dnnl_status_t status) {
    return status == dnnl_success;
}

const char *onednn_version(void) {
    static char text[48];
    const dnnl_version_t *version = dnnl_version();
    snprintf(text, sizeof text, "onednn %d.%d.%d", version->major, version->minor, version->patch);
    return text;
}

bool onednn_is_open(void) {
    return library.stream != NULL;
}

bool onednn_open(void) {
    if (ok(dnnl_engine_create(&library.engine, dnnl_cpu, 0)) &&
        ok(dnnl_stream_create(&library.stream, library.engine, dnnl_stream_default_flags))) {
        return true;
    }
    onednn_close();
    return false;
}

static void forget(struct product *product) {
    dnnl_memory_destroy(product->a);
    dnnl_memory_destroy(product->b);
    dnnl_memory_destroy(product->c);
    dnnl_primitive_destroy(product->primitive);
}

static void forget_products(void) {
    for (size_t i = 0; i < library.n_products; i++) forget(&library.products[i]);
    library.n_products = 0;
}

void onednn_close(void) {
    forget_products();
    dnnl_stream_destroy(library.stream);
    dnnl_engine_destroy(library.engine);
    library.stream = NULL;
    library.engine = NULL;
    library.n_layouts = 0;
}

static bool describe(dnnl_memory_desc_t *desc, dnnl_dim_t rows, dnnl_dim_t columns,
                     const dnnl_dim_t strides[2]) {
    const dnnl_dims_t dims = {rows, columns}, all_strides = {strides[0], strides[1]};
    return ok(dnnl_memory_desc_init_by_strides(desc, 2, dims, dnnl_f32, all_strides));
}

static bool make_description(const dnnl_memory_desc_t *a, const dnnl_memory_desc_t *b,
                             const dnnl_memory_desc_t *c, bool accumulate,
                             dnnl_primitive_desc_t *made) {
    dnnl_matmul_desc_t operation;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t after = NULL;
    bool fine = ok(dnnl_matmul_desc_init(&operation, a, b, NULL, c)) &&
                ok(dnnl_primitive_attr_create(&attributes));
    if (fine && accumulate) {
        fine = ok(dnnl_post_ops_create(&after)) && ok(dnnl_post_ops_append_sum(after, 1.0f)) &&
               ok(dnnl_primitive_attr_set_post_ops(attributes, after));
    }
    fine =
        fine && ok(dnnl_primitive_desc_create(made, &operation, attributes, library.engine, NULL));
    dnnl_post_ops_destroy(after);
    dnnl_primitive_attr_destroy(attributes);
    return fine;
}

/* Asks oneDNN which layout of B [k, n] it likes best. */
static bool ask_layout(dnnl_dim_t k, dnnl_dim_t n, dnnl_memory_desc_t *desc) {
    const dnnl_dim_t of_a[2] = {k, 1}, of_c[2] = {n, 1};
    const dnnl_dims_t dims = {k, n};
    dnnl_memory_desc_t a, b, c;
    dnnl_primitive_desc_t description = NULL;
    bool fine = describe(&a, TYPICAL_ROWS, k, of_a) && describe(&c, TYPICAL_ROWS, n, of_c) &&
                ok(dnnl_memory_desc_init_by_tag(&b, 2, dims, dnnl_f32, dnnl_format_tag_any)) &&
                make_description(&a, &b, &c, false, &description);
    if (fine) *desc = *dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
    dnnl_primitive_desc_destroy(description);
    return fine;
}

static const dnnl_memory_desc_t *packed_layout(dnnl_dim_t k, dnnl_dim_t n) {
    for (size_t i = 0; i < library.n_layouts; i++) {
        const struct layout *layout = &library.layouts[i];
        if (layout->k == k && layout->n == n) return &layout->desc;
    }
    if (k == 0 || n == 0 || library.n_layouts == MAX_SHAPES) return NULL;
    struct layout *layout = &library.layouts[library.n_layouts];
    layout->k = k;
    layout->n = n;
    if (!ask_layout(k, n, &layout->desc)) return NULL;
    library.n_layouts++;
    return &layout->desc;
}

static bool same_shape(const struct shape *x, const struct shape *y) {
    return x->m == y->m && x->n == y->n && x->k == y->k && x->packed == y->packed &&
           x->accumulate == y->accumulate && x->c_stride == y->c_stride &&
           memcmp(x->a_strides, y->a_strides, sizeof x->a_strides) == 0 &&
           memcmp(x->b_strides, y->b_strides, sizeof x->b_strides) == 0;
}

static bool make_product(struct product *product) {
    const struct shape *s = &product->shape;
    const dnnl_dim_t of_c[2] = {s->c_stride, 1};
    const dnnl_memory_desc_t *layout = s->packed ? packed_layout(s->k, s->n) : NULL;
    dnnl_memory_desc_t a, b, c;
    dnnl_primitive_desc_t description = NULL;
    if (s->packed && layout == NULL) return false;
    bool fine = describe(&a, s->m, s->k, s->a_strides) && describe(&c, s->m, s->n, of_c) &&
                (s->packed || describe(&b, s->k, s->n, s->b_strides));
    if (fine && s->packed) b = *layout;
    fine = fine && make_description(&a, &b, &c, s->accumulate, &description) &&
           ok(dnnl_primitive_create(&product->primitive, description)) &&
           ok(dnnl_memory_create(&product->a, &a, library.engine, DNNL_MEMORY_NONE)) &&
           ok(dnnl_memory_create(&product->b, &b, library.engine, DNNL_MEMORY_NONE)) &&
           ok(dnnl_memory_create(&product->c, &c, library.engine, DNNL_MEMORY_NONE));
    dnnl_primitive_desc_destroy(description);
    return fine;
}

static const struct product *find_product(const struct shape *shape) {
    for (size_t i = 0; i < library.n_products; i++) {
        if (same_shape(&library.products[i].shape, shape)) return &library.products[i];
    }
    if (library.n_products == MAX_SHAPES) forget_products();
    struct product *product = &library.products[library.n_products];
    *product = (struct product){.shape = *shape};
    if (make_product(product)) {
        library.n_products++;
        return product;
    }
    forget(product);
    return NULL;
}

bool onednn_matmul(size_t m, size_t n, size_t k, const struct matrix *a, const struct matrix *b,
                   float *c, size_t c_stride, bool accumulate) {
    if (m == 0 || n == 0 || k == 0) return false;
    const void *right = b->packed != NULL ? b->packed : b->stored.data;
    const struct shape shape = {
        .m = (dnnl_dim_t)m,
        .n = (dnnl_dim_t)n,
        .k = (dnnl_dim_t)k,
        .a_strides = {(dnnl_dim_t)a->row_stride, (dnnl_dim_t)a->column_stride},
        .b_strides = {(dnnl_dim_t)b->row_stride, (dnnl_dim_t)b->column_stride},
        .c_stride = (dnnl_dim_t)c_stride,
        .packed = b->packed != NULL,
        .accumulate = accumulate};
    const struct product *product = find_product(&shape);
    if (product == NULL) return false;
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, product->a}, {DNNL_ARG_WEIGHTS, product->b}, {DNNL_ARG_DST, product->c}};
    return ok(dnnl_memory_set_data_handle(product->a, (void *)(size_t)a->stored.data)) &&
           ok(dnnl_memory_set_data_handle(product->b, (void *)(size_t)right)) &&
           ok(dnnl_memory_set_data_handle(product->c, c)) &&
           ok(dnnl_primitive_execute(product->primitive, library.stream, 3, arguments)) &&
           ok(dnnl_stream_wait(library.stream));
}

size_t onednn_packed_size(size_t k, size_t n) {
    const dnnl_memory_desc_t *layout = packed_layout((dnnl_dim_t)k, (dnnl_dim_t)n);
    return layout == NULL ? 0
                          : (dnnl_memory_desc_get_size(layout) + sizeof(float) - 1) / sizeof(float);
}

static bool reorder(const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to, const void *b,
                    void *packed) {
    dnnl_memory_t source = NULL, target = NULL;
    dnnl_primitive_desc_t description = NULL;
    dnnl_primitive_t primitive = NULL;
    bool fine = ok(dnnl_memory_create(&source, from, library.engine, (void *)(size_t)b)) &&
                ok(dnnl_memory_create(&target, to, library.engine, packed)) &&
                ok(dnnl_reorder_primitive_desc_create(&description, from, library.engine, to,
                                                      library.engine, NULL)) &&
                ok(dnnl_primitive_create(&primitive, description));
    if (fine) {
        const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, target}};
        fine = ok(dnnl_primitive_execute(primitive, library.stream, 2, arguments)) &&
               ok(dnnl_stream_wait(library.stream));
    }
    dnnl_primitive_destroy(primitive);
    dnnl_primitive_desc_destroy(description);
    dnnl_memory_destroy(target);
    dnnl_memory_destroy(source);
    return fine;
}

bool onednn_pack(size_t k, size_t n, const struct matrix *b, void *packed) {
    const dnnl_dim_t strides[2] = {(dnnl_dim_t)b->row_stride, (dnnl_dim_t)b->column_stride};
    const dnnl_memory_desc_t *layout = packed_layout((dnnl_dim_t)k, (dnnl_dim_t)n);
    dnnl_memory_desc_t plain;
    return layout != NULL && describe(&plain, (dnnl_dim_t)k, (dnnl_dim_t)n, strides) &&
           reorder(&plain, layout, b->stored.data, packed);
}
