"""AWS Amplify (Gen 1) sign-in configuration as code: plan, apply and drift for backend auth."""

__version__ = "0.1.0"
