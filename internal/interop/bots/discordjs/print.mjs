// What both bots do beside being bots: say what they are told, and end with the test.
let session = ''

/** Prints a dispatch. */
export function print({ s, t, d }) {
  if (t === 'READY') session = d.session_id
  console.log(JSON.stringify({ s, t, content: d?.content, session }))
}

process.stdin.resume().on('end', () => process.exit())
