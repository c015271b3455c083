/* perf_training_steps RUN STAGE STEPS FILE: repeats the first steps of a stage of a run folder and
 * writes what another engine needs to take the same steps, and what came of them here: the
 * parameters before the first one; for every step its tokens, targets and sequence starts, the
 * slots that each memory layer read, the slots that smf chose; all losses and learning rates. The
 * names' numbers ascend. tests/reference/train_both.py is its user. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bench.h"
#include "folder/stage.h"
#include "run/replay.h"
#include "tensor/recorder.h"

struct job {
    struct experiment experiment;
    struct stage stage;
    struct replay replay;
    struct recorder recorder;
    size_t steps;
    float *losses, *rates; /* [steps] */
};

static void check(mneme_status status, const mneme_error *error) {
    if (status != MNEME_OK) bench_stop("%s", error->message);
}

static void open_job(struct job *job, char **argv) {
    mneme_error error = {0};
    mneme_run_options options = {.directory = argv[1]};
    job->steps = strtoul(argv[3], NULL, 10);
    check(experiment_open(&options, IDENTITY_RUN, &job->experiment, &error), &error);
    check(replay_find_stage(&job->experiment.recipe, argv[2], &job->stage, &error), &error);
    struct path folder = stage_folder(argv[1], &job->stage);
    check(replay_open(&job->replay, &job->experiment, &job->stage, folder.text, &error), &error);
    check(replay_begin(&job->replay, 0, &error), &error);
    job->losses = bench_allocate(job->steps, sizeof *job->losses);
    job->rates = bench_allocate(job->steps, sizeof *job->rates);
}

static void record_start(struct job *job) {
    const struct model *model = &job->experiment.model;
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct parameter *p = &model->parameters[i];
        size_t rows = p->rank == 2 ? p->shape[0] : 1;
        recorder_add(&job->recorder, TENSOR_F32, rows, p->count / rows, p->data, "in.%s", p->name);
    }
    const struct background *background = &job->replay.background;
    if (background->batches_reading == NULL) return;
    int32_t n_batches = (int32_t)background->n_batches;
    recorder_add(&job->recorder, TENSOR_I32, background->n_slots, 1, background->batches_reading,
                 "background.reading");
    recorder_add(&job->recorder, TENSOR_I32, 1, 1, &n_batches, "background.batches");
}

static void record_chosen(struct job *job, size_t step) {
    const struct sparse_stepper *stepper = job->replay.teaching.state; /* its first member */
    recorder_add(&job->recorder, TENSOR_I32, stepper->n_chosen, 1, stepper->slots,
                 "step.%zu.chosen", step);
}

static void record_step(struct job *job, size_t step) {
    bool pretraining = job->stage.method == NULL;
    const struct batch_builder *b =
        pretraining ? &job->replay.pretraining.builder : &job->replay.teaching.builder;
    const struct pass *pass =
        pretraining ? &job->replay.pretraining.pass : &job->replay.teaching.pass;
    const struct memory_config *memory = &job->experiment.model.config.memory;
    int32_t *starts = bench_allocate(b->n_sequences + 1, sizeof *starts);
    for (size_t i = 0; i <= b->n_sequences; i++) starts[i] = (int32_t)b->starts[i];
    recorder_add(&job->recorder, TENSOR_I32, b->n_tokens, 1, b->tokens, "step.%zu.tokens", step);
    recorder_add(&job->recorder, TENSOR_I32, b->n_tokens, 1, b->targets, "step.%zu.targets", step);
    recorder_add(&job->recorder, TENSOR_I32, b->n_sequences + 1, 1, starts, "step.%zu.starts",
                 step);
    for (size_t i = 0; i < memory->n_layers; i++) {
        size_t l = memory->layers[i];
        recorder_add(&job->recorder, TENSOR_I32, b->n_tokens, memory->heads * memory->knn,
                     pass->activations.layers[l].slots, "step.%zu.slots.%zu", step, l);
    }
    if (!pretraining && job->stage.method == &method_smf) record_chosen(job, step);
    free(starts);
}

int main(int argc, char **argv) {
    struct job job = {0};
    mneme_error error = {0};
    if (argc != 5) bench_stop("usage: perf_training_steps RUN STAGE STEPS FILE");
    open_job(&job, argv);
    record_start(&job);
    for (size_t step = 0; step < job.steps; step++) {
        struct trail_line line;
        char *found;
        check(replay_step(&job.replay, &line, &found, &error), &error);
        free(found);
        job.losses[step] = line.loss;
        job.rates[step] = line.lr;
        record_step(&job, step);
    }
    recorder_add(&job.recorder, TENSOR_F32, job.steps, 1, job.losses, "losses");
    recorder_add(&job.recorder, TENSOR_F32, job.steps, 1, job.rates, "lr");
    check(recorder_save(&job.recorder, argv[4], NULL, 0, &error), &error);
    recorder_close(&job.recorder);
    replay_close(&job.replay);
    experiment_close(&job.experiment);
    free(job.losses);
    free(job.rates);
    return 0;
}
