"""The stages. Each leaves rows behind and the next picks them up: so each can be run alone, twice, or after a crash."""
