package server

// Libraries ask for more than a bot uses, some before they call it ready. What
// is not there at all is answered as such.

// has answers what never changes; in a guild, for the one there is.
func has(answer any) func(*request) (any, error) {
	return func(r *request) (any, error) {
		if r.PathValue("guild") != "" {
			if err := r.inGuild(); err != nil {
				return nil, err
			}
		}
		return answer, nil
	}
}

// putCommands has a bot say that it has no application commands, which
// libraries do by themselves.
func putCommands(r *request) (any, error) {
	var commands []object
	if err := r.body(&commands); err != nil {
		return nil, err
	}
	if len(commands) > 0 {
		return nil, noCommands
	}
	return none, nil
}
