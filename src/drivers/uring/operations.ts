/**
 * What a completion is about. The first word of its user data says which operation that was, in the upper bits, and
 * whose: a link's number or a listening socket's place. The second word is the serial of a link, so that a late
 * completion never touches the next link of its number.
 */
export const operation = {
  accept: 0,
  connect: 1,
  receive: 2,
  send: 3,
  cancel: 4,
  wake: 5,
  watch: 6,
  close: 7,
} as const;
export const operationShift = 24;
export const numberMask = (1 << operationShift) - 1;
