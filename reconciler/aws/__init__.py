"""The only package, beside the emulator, that talks to AWS through boto3."""
