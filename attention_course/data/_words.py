"""The words that the book has vectors for, in the order of the stored rows."""

WORDS: tuple[str, ...] = (
    # A dictionary that answers when no key matches: keys, values and questions.
    *("color", "age", "type", "species", "kind", "category", "hue", "years"),
    *("blue", "22", "pickup"),
    # The running example and its questions.
    *("the", "cat", "sat", "outside", "today", "who", "when", "where"),
    # Numbers.
    *("one", "two", "three", "four", "five", "ten"),
    # One word, two meanings, and the neighbours that tell them apart.
    *("bank", "river", "shore", "water", "money", "loan"),
    # Pairs that differ in one respect.
    *("king", "queen", "man", "woman", "boy", "girl"),
    *("london", "england", "paris", "france"),
    *("happy", "sad", "big", "small", "fast", "slow"),
    # Sentences whose meaning hangs on word order: the dog chased the mouse.
    *("dog", "mouse", "bird", "eats", "sleeps", "chased"),
    # Things and their colours.
    *("red", "green", "apple", "fruit", "car", "truck"),
    # The animal did not cross the street because it was too tired (or too wide).
    *("animal", "did", "cross", "street", "was", "too", "tired", "wide"),
    *("he", "she", "it", "they", "not", "and", "or", "because"),
)
