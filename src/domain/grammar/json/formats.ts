const month30 = "(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)"
const month31 = "(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])"
const leapYear = "(?:\\d{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
const date = `(?:\\d{4}-(?:${month31}|${month30}|02-(?:0[1-9]|1\\d|2[0-8]))|${leapYear}-02-29)`
const clock = "(?:[01]\\d|2[0-3]):[0-5]\\d"
const time = `${clock}:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-]${clock})`
const label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,60}[A-Za-z0-9])?"
const hostname = `${label}(?:\\.${label}){0,3}`
const octet = "(?:25[0-5]|2[0-4]\\d|1\\d{2}|[1-9]?\\d)"
const ipv4 = `${octet}(?:\\.${octet}){3}`
const group = "[0-9A-Fa-f]{1,4}"
const seconds = "\\d{1,2}S"
const minutes = `\\d{1,2}M(?:${seconds})?`
const hours = `T(?:\\d{1,2}H(?:${minutes})?|${minutes}|${seconds})`

/** `a:b::c`: `::` stands for at least one group. */
const ipv6 = [
  `${group}(?::${group}){7}`,
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((before) => {
    const head = before === 0 ? "" : `${group}(?::${group}){${before - 1}}`
    const tail = 7 - before === 0 ? "" : `(?:${group}(?::${group}){0,${6 - before}})?`
    return `${head}::${tail}`
  })
].join("|")

/**
 * Formats as regexes over the whole string. Nothing that they match is outside of the format; email, hostname, time (no leap
 * second) and duration leave out rare forms that the format would allow.
 */
export const formats: Readonly<Record<string, string>> = {
  date,
  time,
  "date-time": `${date}T${time}`,
  duration: `P(?:\\d{1,4}W|\\d{1,4}Y(?:\\d{1,2}M(?:\\d{1,3}D)?)?(?:${hours})?|\\d{1,2}M(?:\\d{1,3}D)?|\\d{1,3}D(?:${hours})?|${hours})`,
  uuid: "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
  email: `[A-Za-z0-9_+-]{1,30}(?:\\.[A-Za-z0-9_+-]{1,30})?@${label}(?:\\.${label}){1,2}`,
  hostname,
  ipv4,
  ipv6
}
