#ifndef DATA_ASKING_H
#define DATA_ASKING_H

#include <stddef.h>

#include "base/error.h"

/* How questions are asked: a prompt that the model continues with the answer. It is read from a
 * form (text/form.h) such as "Q: {question}\nA:", which is asked as it stands. What follows
 * {answer}, where the form has it, stands between examples ("shots"): without it that is an empty
 * line. Of a form with {shots}, what stands before comes once, before the first example. */
struct asking {
    char *opening; /* comes once */
    char *ask;     /* up to the answer, without the blanks before it */
    char *lead;    /* what stands between a prompt and its answer: "", or blanks */
    char *shot; /* an example, with {question} and {answer}, and what separates it from the next */
};

/* Today's way: "Q: {question} A: {answer}" and an empty line. */
#define ASKING_DEFAULT "Q: {question} A: {answer}\n\n"

/* `text` NULL: the default. MNEME_BAD_INPUT, "PLACE: cause", for a text that is none, or that has
 * not one {question}, more than one {answer} or {shots}, or these in another order. */
mneme_status asking_read(const char *text, const char *place, struct asking *asking,
                         mneme_error *error);
/* Does nothing to {0}. */
void asking_free(struct asking *asking);

/* A question with its answer. */
struct shot {
    const char *question;
    const char *answer;
};

/* *prompt becomes that of a question after n examples, with turns as bytes where the form has them
 * (chat_style_encode of tokenizer/chat_style.h makes tokens of it). Questions go in as they are.
 * The caller frees it. */
mneme_status asking_prompt(const struct asking *asking, size_t n, const struct shot *shots,
                           const char *question, char **prompt, mneme_error *error);

#endif
