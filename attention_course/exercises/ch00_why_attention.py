"""Exercises of chapter 0, why attention is needed."""

from ._model import Choice, Exercise, Misconception

bottleneck = Exercise(
    id="ch00.bottleneck",
    title="Ten times as long",
    kind="explain",
    minutes=3,
    difficulty=1,
    section="ch00-one-vector",
    prompt="The encoder of this section, with a state of 64 numbers, reads a sentence "
    "of "
    "50 words and then one of 500. Set `ch00_bottleneck` to the letters of all "
    "statements "
    "that are true, in one string.",
    starter="ch00_bottleneck = ...",
    choices={
        "a": Choice(
            "The state grows with the sentence, to 640 numbers for the longer one.",
            "The width is fixed when the network is built: `w_state` has shape (64, "
            "64), "
            "and each word replaces 64 numbers by 64 others.",
        ),
        "b": Choice(
            "The decoder gets 64 numbers in both cases, whatever the sentence says.",
            "This is the bottleneck. A wider state makes it wider, and there is always "
            "a "
            "longer sentence.",
            right=True,
        ),
        "c": Choice(
            "The longer sentence needs matrices with ten times as many numbers.",
            "The same two matrices are used for every word, so a longer sentence takes "
            "more steps and no more numbers.",
        ),
        "d": Choice(
            "The last word is found in the state more clearly than the first one.",
            "The last word went through the network once. The first one was multiplied "
            "again at each of 499 steps, each time by about 0.577 before training.",
            right=True,
        ),
    },
    hints=(
        "Which sizes of the network depend on the number of words?",
        "Look at the loop in `read`: what is the same in every round?",
        "How often has the first word been multiplied when the sentence ends, and how "
        "often the last one?",
    ),
    insight="A state of fixed width is like a summary: one sentence about a book "
    "cannot tell you its third paragraph.",
)

forgetting = Exercise(
    id="ch00.forgetting",
    title="Five steps later",
    kind="predict",
    minutes=3,
    difficulty=1,
    section="ch00-nudge",
    prompt="A network has one number as its state: $h_t = 0.8\\,h_{t-1} + x_t$. The "
    "first input is raised by 1. By how much does the state move *five steps later*? "
    "(The step in which the nudge enters is not counted.) Set "
    "`ch00_predict_forgetting` to that number.",
    starter="ch00_predict_forgetting = ...",
    reference=0.32768,
    tolerance=0.003,
    misconceptions=(
        Misconception(
            "one-step-too-many",
            "Your answer is 0.8 to the power of 6.",
            "The nudge is multiplied in the step in which it enters, too.",
            "How far does h_1 move, if h_1 = 0.8 h_0 + x_1 and x_1 is raised by 1?",
            wrong=0.8**6,
        ),
        Misconception(
            "one-step-too-few",
            "Your answer is 0.8 to the power of 4.",
            "Five steps have four gaps between them.",
            "By what is the nudge multiplied after one more word, and after two?",
            wrong=0.8**4,
        ),
        Misconception(
            "falls-by-a-constant-amount",
            "Your answer is 0: a loss of 0.2 at each of five steps.",
            "One fifth is lost at each step, and five fifths are all.",
            "The second step loses one fifth, too: one fifth of what?",
            wrong=0.0,
        ),
        Misconception(
            "once",
            "Your answer is 0.8: the factor is applied once.",
            "A nudge is multiplied when it enters the state, and then kept.",
            "What does the next step do to the state that holds the nudge?",
            wrong=0.8,
        ),
        Misconception(
            "divided-by-steps",
            "Your answer is 0.8 divided by 5.",
            "An influence is spread evenly over the steps.",
            "By what is the nudge multiplied after one more word, and after two?",
            wrong=0.16,
        ),
        Misconception(
            "multiplied-by-steps",
            "Your answer is 5 times 0.8.",
            "Each step adds the factor once more.",
            "Can a nudge of 1 have grown, if every step makes it smaller?",
            wrong=4.0,
        ),
    ),
    hints=(
        "Follow the nudge alone, and let every other input be 0.",
        "It is 1 when it enters. What is left of it one step later?",
        "Each later step multiplies by 0.8 once more; there are five of them.",
    ),
    insight="Each of five steps multiplies what is left by 0.8: 0.8^5 = 0.32768. "
    "A factor of 0.8 halves it every 3.1 steps, 0.9 every 6.6. For a half to be left "
    "after 64 steps, the factor must be 0.989.",
)

mean = Exercise(
    id="ch00.mean",
    title="One mean by hand",
    kind="predict",
    minutes=3,
    difficulty=1,
    section="ch00-looking-back",
    prompt="Three words have the vectors $(4, 0)$, $(0, 2)$ and $(-2, -6)$. A reader "
    "gives them the shares 0.5, 0.25 and 0.25. Set `ch00_predict_mean` to the vector "
    "that it gets, as a tuple of two numbers.",
    starter="ch00_predict_mean = ...",
    reference=(1.5, -1.0),
    tolerance=0.002,
    misconceptions=(
        Misconception(
            "picks-the-winner",
            "This is the vector of the word with the largest share.",
            "Attention picks the word that matters.",
            "How far should the result move if the third vector is nudged?",
            wrong=(4.0, 0.0),
        ),
        Misconception(
            "plain-mean",
            "This is the plain mean: each word counts one third.",
            "A mean divides by how many there are.",
            "What would you get for shares of 1, 0 and 0?",
            wrong=(2 / 3, -4 / 3),
        ),
        Misconception(
            "plain-sum",
            "You added the vectors up without their shares.",
            "A weighted mean collects what all words bring.",
            "What would you get for shares of 1, 0 and 0?",
            wrong=(2.0, -4.0),
        ),
        Misconception(
            "divided-again",
            "You took the weighted sum and then divided it by three.",
            "A mean divides by how many there are.",
            "The shares add up to 1. What has been divided already?",
            wrong=(0.5, -1 / 3),
        ),
        Misconception(
            "signs-lost",
            "You added the sizes of the numbers: the minus signs are gone.",
            "A share is positive, so it adds something positive.",
            "What is a quarter of −2, and what of −6?",
            wrong=(2.5, 2.0),
        ),
    ),
    hints=(
        "Multiply each vector by its share first.",
        "`(4, 0)` becomes `(2, 0)`, and `(0, 2)` becomes `(0, 0.5)`.",
        "The third one becomes `(-0.5, -1.5)`. Now add the three.",
    ),
    insight="`(2, 0)` + `(0, 0.5)` + `(-0.5, -1.5)` = `(1.5, -1)`: each vector by its "
    "share, then the sum. All such means lie inside the triangle whose corners are "
    "the three vectors: positive shares that add up to 1 can never leave it.",
)

dilution = Exercise(
    id="ch00.dilution",
    title="Distance or length?",
    kind="explain",
    minutes=4,
    difficulty=3,
    section="ch00-measured",
    prompt="In the untrained attention layer the gradient at the first token, relative "
    "to the last token's, fell from 0.17 (65 tokens) to 0.06 (257 tokens). Now the "
    "texts have 257 tokens, and the one token that matters stands once at place 1 and "
    "once at place 200; a trained layer "
    "gives it a share of 0.9 both times. Set `ch00_dilution` to the letter of how "
    "much of the gradient of the mean reaches it, as long as the shares stay as they "
    "are.",
    starter="ch00_dilution = ...",
    choices={
        "a": Choice(
            "About 0.9 at both places: what arrives is the share, wherever the token "
            "stands.",
            "A weighted mean multiplies each vector once, by its share. The fall from "
            "0.17 to 0.06 came from more tokens sharing one whole, not from distance.",
            right=True,
        ),
        "b": Choice(
            "About 0.9 at place 200, and much less at place 1, which is further from "
            "the "
            "end.",
            "This is how a recurrent network behaves, with one factor a step. In a "
            "mean "
            "there is one factor in all, and it does not know how far away it reads.",
        ),
        "c": Choice(
            "About 0.06 at both places, since with 257 tokens there is no more to be "
            "had.",
            "0.06 belongs to nearly even shares, and those come from random matrices. "
            "A "
            "trained layer may give one token nearly everything.",
        ),
        "d": Choice(
            "About 0.9 divided by 257 at both places, since a mean divides by the "
            "count.",
            "The shares have been divided already: they add up to 1. There is no "
            "second "
            "division.",
        ),
    },
    hints=(
        "How often is a vector multiplied on its way into a weighted mean?",
        "What did the last measurement of the section find for the two halves of a "
        "text?",
        "Nudge the token by 1. By how much does the mean move, given its share?",
    ),
    insight="Here the shares stood still. In a layer they move as well when a token is "
    "nudged; that second way through the layer is what chapters 1 and 4 take apart.",
)

hard_or_soft = Exercise(
    id="ch00.hard-or-soft",
    title="Why not pick the best one?",
    kind="explain",
    minutes=3,
    difficulty=2,
    section="ch00-history",
    prompt="In place of a mean of all words, a reader could take the one word with "
    "the highest score. Set `ch00_hard_or_soft` to the letter of the reason why such "
    "a reader is hard to train by following gradients.",
    starter="ch00_hard_or_soft = ...",
    choices={
        "a": Choice(
            "Picking the highest score takes more operations than the mean does.",
            "Both need all scores. After that it takes fewer: it compares them and "
            "reads one vector, not all of them.",
        ),
        "b": Choice(
            "The chosen vector gets a gradient so large that training is thrown about.",
            "The chosen vector gets a gradient of ordinary size: it is copied, a "
            "factor "
            "of 1. The trouble is with the scores.",
        ),
        "c": Choice(
            "A small nudge of a score leaves the choice, and the result, as they were.",
            "The result is constant until another score wins, and then it jumps. The "
            "derivative is 0 nearly everywhere and says nothing about where to go.",
            right=True,
        ),
        "d": Choice(
            "Two words may have the same score, and then there is no highest one.",
            "Ties are rare among real numbers and can be broken by a rule. Training "
            "would fail without any tie.",
        ),
    },
    hints=(
        "What is a gradient made from?",
        "Nudge a losing score a little. What does the reader read then?",
        "Run `hard` from the cell above with a nudge of 0.001, and with one of 2.",
    ),
    insight="Hard choices can still be trained, by trial and reward, as in Mnih et al. "
    "(2014): a choice is drawn by chance, and made likelier where it was rewarded. "
    "Chance makes each such step noisier than a gradient.",
)

cost = Exercise(
    id="ch00.cost",
    title="What is cheaper, and when?",
    kind="explain",
    minutes=4,
    difficulty=3,
    section="ch00-operations",
    prompt="Count multiply-adds as in this section, at width $d = 512$: attention "
    "$4nd^2 + 2n^2d$, an LSTM $8nd^2$, a plain RNN $2nd^2$. Set `ch00_cost` to the "
    "letters of all statements that are true, in one string.",
    starter="ch00_cost = ...",
    choices={
        "a": Choice(
            "For 4096 tokens attention needs more operations than an LSTM.",
            "Attention passes the LSTM at n = 2d = 1024. At 4096 it is at 4d² + 16d² = "
            "20d² per token, against 8d².",
            right=True,
        ),
        "b": Choice(
            "For 16 tokens attention needs fewer operations than an RNN.",
            "The four matrices alone are 4nd², twice what the RNN needs. No n is small "
            "enough.",
        ),
        "c": Choice(
            "With twice as many tokens, attention needs twice as many operations.",
            "The part with the matrices doubles. The part with the scores and the "
            "mean, "
            "2n²d, becomes four times as large.",
        ),
        "d": Choice(
            "The steps of the RNN must wait for each other; attention's need not.",
            "h_128 needs h_127. The means can be computed in any order, or all at "
            "once where there are enough processors.",
            right=True,
        ),
    },
    hints=(
        "Divide all three counts by nd². What is left of each?",
        "Per nd²: 4 + 2n/d for attention, 8 for the LSTM, 2 for the RNN.",
        "At n = d attention is at 6, at n = 2d it is at 8. And which of the four "
        "statements is not about counting?",
    ),
    insight="At twice as many tokens as the width, the scores and the mean cost as "
    "much as the four matrices: 4d² per token each. A model of width 4096 gets there "
    "with 8192 tokens.",
)
