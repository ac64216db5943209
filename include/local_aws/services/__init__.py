"""The services that moto answers for, made durable and put on our clock."""
