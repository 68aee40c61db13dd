// Package media keeps what people upload, pictures, films, sounds, documents, and serves it at
// addresses that never change their content: an object's name is the SHA-256 of its bytes. What
// stands in front, a CDN or a browser, may keep an answer for ever.
//
//	store, err := media.NewDisk("uploads", media.DiskOptions{})
//	…
//	mux.Handle("/media/", http.StripPrefix("/media", media.Handler(store, media.HandlerOptions{
//		URL:       "/media",                                                     // or https://cdn.example.com/media
//		Authorize: func(r *http.Request) error { _, err := user(r); return err }, // nil: nobody uploads
//	})))
//
// A page then sends a file as it is, and gets its address:
//
//	const answer = await fetch('/media/?name=' + encodeURIComponent(file.name), {method: 'POST', body: file})
//	const {url, hash, size, type} = await answer.json() // url: /media/9f86…/cat.png
//
// A message that refers to an object holds its hash and the name that its author gave; [Path] makes the
// address of them again. Take no whole address from a client: it may lead anywhere.
//
// # Guarantees
//
//   - An object is there whole, or not at all, whoever is killed when. What Put has returned is on
//     the disk. What a process that was killed leaves behind is a temporary file, which is swept.
//   - The same bytes are kept once, however often and by how many at a time they are put. Nobody can
//     find out by uploading that somebody else has uploaded the same, nor under which name.
//   - What a client says of a type is not believed: the first bytes decide, and only types of a list
//     are taken. Whatever they are, a browser does not run them: no answer is sniffed, all are
//     sandboxed, and only pictures, films and sounds are shown in place; HTML and SVG never are.
//   - An upload is not held in memory, is bounded in size and in how slow it may be, and so is the
//     number of those under way.
//   - An answer depends on the hash alone, not on the name behind it, a query or a cookie.
//
// # Non-goals
//
// Who may read: an address is the right to read, and cannot be guessed. Thumbnails and other
// conversions, virus scans, encryption. Which objects are still needed: one object may be in the
// messages of many people, so the application counts before it calls Delete, and tells its CDN. A
// picture's metadata, such as where it was taken, is not removed.
package media
