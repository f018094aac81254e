"""The paid call: from the consumer's request to the target's answer and back."""
