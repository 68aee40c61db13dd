package server

import (
	"fmt"
	"net/http"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// refusal is why something was not done, in the words of both who may have
// asked for it: the page, which is told the command error, and Discord's
// clients, which are told status, number and text.
type refusal struct {
	gateway.CommandError

	status int    // of HTTP
	number int    // Discord's code
	text   string // Discord's message
	form   object // Discord's errors, for what is wrong with a form
}

func (r *refusal) Error() string { return r.CommandError.Error() }

// Unwrap is what the gateway looks for in a command's error.
func (r *refusal) Unwrap() error { return &r.CommandError }

func refuse(code, message string, status, number int, text string) *refusal {
	return &refusal{CommandError: gateway.CommandError{Code: code, Message: message}, status: status, number: number, text: text}
}

// Discord's numbers, for what this chat refuses.
var (
	noUser      = refuse("NOT_FOUND", "There is no such user.", http.StatusNotFound, 10013, "Unknown User")
	noMember    = refuse("NOT_FOUND", "There is no such member.", http.StatusNotFound, 10007, "Unknown Member")
	noGuild     = refuse("NOT_FOUND", "There is no such guild.", http.StatusNotFound, 10004, "Unknown Guild")
	noRole      = refuse("NOT_FOUND", "There is no such role.", http.StatusNotFound, 10011, "Unknown Role")
	noChannel   = refuse("NOT_FOUND", "There is no such channel.", http.StatusNotFound, 10003, "Unknown Channel")
	noMessage   = refuse("NOT_FOUND", "That message is not there any more.", http.StatusNotFound, 10008, "Unknown Message")
	noEmoji     = refuse("BAD_REQUEST", "That is no emoji.", http.StatusBadRequest, 10014, "Unknown Emoji")
	notAuthor   = refuse("FORBIDDEN", "That message is somebody else's.", http.StatusForbidden, 50005, "Cannot edit a message authored by another user")
	notAllowed  = refuse("FORBIDDEN", "That message is somebody else's.", http.StatusForbidden, 50013, "Missing Permissions")
	textOnly    = refuse("FORBIDDEN", "A message is text here, and nothing else.", http.StatusForbidden, 50013, "Missing Permissions")
	noFile      = invalid("attachments", "UNKNOWN_ATTACHMENT", "There is no such file.", "NOT_FOUND", "A file is not here: upload it again.")
	emptyFile   = invalid("attachments", "BASE_TYPE_REQUIRED", "A file is empty.", "EMPTY", "A file is empty.")
	wrongType   = refuse("BAD_REQUEST", "Pictures, films, sounds, PDF and plain text are taken.", http.StatusUnsupportedMediaType, 0, "415: Unsupported Media Type")
	empty       = refuse("EMPTY", "A message needs some text.", http.StatusBadRequest, 50006, "Cannot send an empty message")
	noDirect    = refuse("FORBIDDEN", "There are no direct messages here.", http.StatusBadRequest, 50007, "Cannot send messages to this user")
	manyEmoji   = refuse("TOO_MANY", "A message has at most 20 different reactions.", http.StatusBadRequest, 30010, "Maximum number of reactions reached (20)")
	noCommands  = refuse("FORBIDDEN", "There are no application commands here.", http.StatusBadRequest, 30032, "Maximum number of application commands reached (0)")
	badJSON     = refuse("BAD_REQUEST", "That is no JSON.", http.StatusBadRequest, 50109, "The request body contains invalid JSON.")
	badVersion  = refuse("BAD_REQUEST", "Versions 9 and 10 are known.", http.StatusBadRequest, 50041, "Invalid API version")
	tooLarge    = refuse("TOO_LONG", "That is too much.", http.StatusRequestEntityTooLarge, 40005, "Request entity too large")
	bulkSize    = refuse("BAD_REQUEST", "2 to 100 messages go at once.", http.StatusBadRequest, 50016, "Provided too few or too many messages to delete. Must provide at least 2 and fewer than 100 messages to delete")
	unknown     = refuse("NOT_FOUND", "There is no such route.", http.StatusNotFound, 0, "404: Not Found")
	wrongMethod = refuse("BAD_REQUEST", "The route has no such method.", http.StatusMethodNotAllowed, 0, "405: Method Not Allowed")
	stranger    = refuse("UNAUTHORIZED", fmt.Sprintf("A name has 1 to %d characters.", maxName), http.StatusUnauthorized, 0, "401: Unauthorized")
	unavailable = refuse("UNAVAILABLE", "The server is busy: try again.", http.StatusServiceUnavailable, 0, "503: Service Unavailable")
	restarting  = refuse("UNAVAILABLE", "The server is restarting.", http.StatusServiceUnavailable, 0, "503: Service Unavailable")
	broken      = refuse("INTERNAL", "Something went wrong.", http.StatusInternalServerError, 0, "500: Internal Server Error")
)

// invalid refuses a form for one of its fields: code and text are Discord's,
// message is the page's.
func invalid(field, code, text, page, message string) *refusal {
	r := refuse(page, message, http.StatusBadRequest, 50035, "Invalid Form Body")
	r.form = object{field: object{"_errors": []object{{"code": code, "message": text}}}}
	return r
}

// invalidID refuses what should be a snowflake.
func invalidID(field, value string) *refusal {
	text := fmt.Sprintf("Value %q is not snowflake.", value)
	return invalid(field, "NUMBER_TYPE_COERCE", text, "BAD_REQUEST", text)
}

// gone replaces the store's word for a message that is not there.
func gone(err error) error { return instead(err, message.ErrNotFound, noMessage) }
