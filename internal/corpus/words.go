package corpus

import "strings"

// common are words as people write them in chats, the frequent ones first.
var common = strings.Fields(`the i to a and you it is that in of for on my this not but have be just like with so was are we do what if can
at your they me or no all get lol now how up one there then when don't im it's know will from good think as about out time really would
see here who more go he an some because why want people even only need her his she them been make still did has too also well make right
yeah than their could had make by going thing something much got should back way day new these work always never better lmao yes maybe
nice game play someone over love server before after first same into thanks sure tho oh said look sorry bro ok okay please tomorrow today
tonight later again already actually probably though last any other every most many long little big old other bad best wait let him us
come take give use find try ask feel help start stop keep show tell call turn run leave change play end happen hope guess mean live
guys dude man everyone anyone nobody anything nothing everything stuff place home school week month year hour minute night morning
weekend match team rank build update patch bug fix fixed broken crash lag ping channel message role admin mod mods bot command voice chat
stream video music song picture screenshot link phone laptop keyboard screen internet money free price sale buy sell food coffee pizza sleep
tired bored happy sad mad funny weird cool crazy dead alive true false hard easy fast slow high low late early next soon once twice
enough almost quite pretty kinda gonna wanna gotta hello hey hi bye welcome thank congrats good luck rip wtf omg idk btw imo ngl tbh fr
issue question answer problem idea plan reason point story news event party map level boss item sword shield class skill point points
code branch merge review deploy test tests release version server client window button page file folder error line function table`)

var endings = []string{"", "", "", "", "", "", "", ".", ".", "?", "!", "...", " lol", " :)", " 😭", " 😂", " ❤️", " 💀", " haha", "??", "!!"}

// openings are turns that many messages begin with.
var openings = []string{"i think ", "do you ", "does anyone know ", "what do you ", "is there a ", "i don't ", "can you ", "how do i ", "it's ", "that's ", "i was ", "you can ", "have you ", "not sure ", "let me ", "thanks for ", "i'm ", "why is "}

const consonants, vowels = "bcdfghjklmnprstvwz", "aeiou"

// rare makes a word that the language does not have: a name, a typo, another language.
func (r *random) rare(syllables int) string {
	var b strings.Builder
	for range syllables {
		b.WriteString(r.text(consonants, 1))
		b.WriteString(r.text(vowels, 1))
		if r.in(35) {
			b.WriteString(r.text(consonants, 1))
		}
	}
	return b.String()
}

// sentence writes what somebody types: n words, one in eight of them rare.
func (r *random) sentence(n int) string {
	var b strings.Builder
	if n > 2 && r.in(35) {
		b.WriteString(pick(r, openings))
	}
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		if r.in(12) {
			b.WriteString(r.rare(r.between(1, 4)))
		} else {
			b.WriteString(common[r.low(len(common))])
		}
	}
	b.WriteString(pick(r, endings))
	s := b.String()
	if r.in(40) {
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	return s
}

// title is a name in capitals, of a guild or a game: no two are the same.
func (r *random) title() string {
	name := r.rare(r.between(1, 3))
	name = strings.ToUpper(name[:1]) + name[1:]
	if r.in(50) {
		second := r.rare(r.between(1, 2))
		name += " " + strings.ToUpper(second[:1]) + second[1:]
	}
	return name
}
