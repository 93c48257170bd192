"""The Open Inference Protocol: messages, their generated code, tensors; what pods and clients share."""
