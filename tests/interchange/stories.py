"""A llama2.c version-0 file read, continued and sampled by NumPy alone, in float64, from the format's
description: what `mneme import --from llama2c` and `mneme generate --ids` are held against. Prints
the greedy continuation of token 1, a text that the model is sampled for, the perplexity of such
texts, and how the lengths of a feed-forward unit's weights in and out correlate.

  python tests/interchange/stories.py FILE [--untangle OUT]

--untangle also writes the file OUT: FILE with every matrix [rows, columns] of its layers transposed
five times, each time read as [rows, columns] again. Some copies of stories260K.bin need it; how that
was found is in README.md.
"""

import argparse

import numpy as np

LENGTH, TEXTS, SAMPLED = 40, 3, 80
TURNS = 5


class Llama:
    """The model of a file."""

    def __init__(self, path):
        numbers = np.fromfile(path, dtype="<f4")
        self.dim, hidden, self.layers, self.heads, self.kv_heads, vocabulary, positions = map(
            int, numbers[:7].view("<i4"))
        self.width = self.dim // self.heads
        kv_dim = self.width * self.kv_heads
        place = 7

        def take(*shape):
            nonlocal place
            place += int(np.prod(shape))
            return numbers[place - int(np.prod(shape)):place].reshape(shape).astype(np.float64)

        n, dim = self.layers, self.dim
        self.embedding = take(abs(vocabulary), dim)
        self.attention_norm = take(n, dim)
        self.wq, self.wk, self.wv = take(n, dim, dim), take(n, kv_dim, dim), take(n, kv_dim, dim)
        self.wo, self.ffn_norm = take(n, dim, dim), take(n, dim)
        self.w1, self.w2, self.w3 = take(n, hidden, dim), take(n, dim, hidden), take(n, hidden, dim)
        self.norm = take(dim)
        self.cosine = take(positions, self.width // 2)
        self.sine = take(positions, self.width // 2)
        self.output = self.embedding if vocabulary > 0 else take(-vocabulary, dim)
        if place != len(numbers):
            raise SystemExit(f"{path}: {len(numbers)} numbers, the header asks for {place}")

    def turn(self, x):
        """RoPE of [tokens, heads, width], on neighbouring pairs."""
        cosine, sine = self.cosine[:len(x), None], self.sine[:len(x), None]
        turned = np.empty_like(x)
        turned[..., 0::2] = x[..., 0::2] * cosine - x[..., 1::2] * sine
        turned[..., 1::2] = x[..., 0::2] * sine + x[..., 1::2] * cosine
        return turned

    def attention(self, x, layer):
        """Grouped heads, causal."""
        n = len(x)
        q = self.turn((x @ self.wq[layer].T).reshape(n, self.heads, self.width))
        k = self.turn((x @ self.wk[layer].T).reshape(n, self.kv_heads, self.width))
        v = (x @ self.wv[layer].T).reshape(n, self.kv_heads, self.width)
        k, v = (np.repeat(t, self.heads // self.kv_heads, axis=1) for t in (k, v))
        scores = np.einsum("ihd,jhd->hij", q, k) / np.sqrt(self.width)
        weights = softmax(np.where(np.tri(n, dtype=bool), scores, -np.inf))
        return np.einsum("hij,jhd->ihd", weights, v).reshape(n, self.dim) @ self.wo[layer].T

    def next_token(self, tokens):
        """Probabilities of the token that follows."""
        x = self.embedding[tokens]
        for layer in range(self.layers):
            x = x + self.attention(rms_norm(x, self.attention_norm[layer]), layer)
            y = rms_norm(x, self.ffn_norm[layer])
            gate = y @ self.w1[layer].T
            x = x + (gate / (1 + np.exp(-gate)) * (y @ self.w3[layer].T)) @ self.w2[layer].T
        return softmax(self.output @ rms_norm(x[-1], self.norm))


def rms_norm(x, gain):
    """eps 1e-5."""
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * gain


def softmax(x):
    """Over the last axis."""
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def untangle(matrix):
    """[rows, columns] after TURNS transpositions, the shape staying the same."""
    for _ in range(TURNS):
        matrix = matrix.T.reshape(matrix.shape)
    return matrix


def write_untangled(path, out):
    """The file at path with the matrices of its layers untangled."""
    numbers = np.fromfile(path, dtype="<f4")
    dim, hidden, layers, heads, kv_heads, vocabulary = map(int, numbers[:6].view("<i4"))
    kv_dim = dim // heads * kv_heads
    place = 7 + abs(vocabulary) * dim + layers * dim
    for shapes, gap in (((dim, dim), (kv_dim, dim), (kv_dim, dim), (dim, dim)), layers * dim), \
            (((hidden, dim), (dim, hidden), (hidden, dim)), 0):
        for rows, columns in shapes:
            for _ in range(layers):
                matrix = numbers[place:place + rows * columns]
                matrix[:] = untangle(matrix.reshape(rows, columns)).ravel()
                place += rows * columns
        place += gap
    numbers.tofile(out)


def main():
    """The figures, and the other file if asked for."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--untangle", metavar="OUT")
    arguments = parser.parse_args()
    model = Llama(arguments.file)
    greedy = [1]
    for _ in range(LENGTH):
        greedy.append(int(model.next_token(greedy).argmax()))
    print("greedy:", *greedy)
    random, surprise = np.random.default_rng(0), []
    for text in range(TEXTS):
        tokens = [1]
        for _ in range(SAMPLED):
            likely = model.next_token(tokens)
            tokens.append(int(random.choice(len(likely), p=likely)))
            surprise.append(-np.log(likely[tokens[-1]]))
        if text == 0:
            print("sampled:", *tokens)
            print(f"its perplexity: {np.exp(np.mean(surprise)):.6f}")
    print(f"perplexity of {len(surprise)} sampled tokens: {np.exp(np.mean(surprise)):.1f}")
    lengths = [np.linalg.norm(model.w3[0], axis=1), np.linalg.norm(model.w2[0], axis=0)]
    print("correlation of the lengths of w3's rows and w2's columns in the first layer: "
          f"{np.corrcoef(lengths)[0, 1]:.2f}")
    if arguments.untangle:
        write_untangled(arguments.file, arguments.untangle)


if __name__ == "__main__":
    main()
