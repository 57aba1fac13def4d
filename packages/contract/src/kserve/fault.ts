/** A request in KServe's form that cannot be read. The message is for its sender. */
export class KServeFault extends Error {
  override readonly name: string = 'KServeFault';
  readonly status: 400 | 413;

  constructor(status: 400 | 413, message: string) {
    super(message);
    this.status = status;
  }
}

/** A request has a member that nobody knows. */
export class UnknownMember extends KServeFault {
  override readonly name = 'UnknownMember';
  readonly where: string;
  readonly member: string;
  readonly known: readonly string[];

  constructor(where: string, member: string, known: readonly string[]) {
    super(400, messageOf(where, member, known, undefined));
    this.where = where;
    this.member = member;
    this.known = known;
  }

  /** The message, with the known name that was probably meant: this package cannot compare names. */
  messageWith(near: string | undefined): string {
    return messageOf(this.where, this.member, this.known, near);
  }
}

function messageOf(
  where: string,
  member: string,
  known: readonly string[],
  near: string | undefined,
): string {
  const meant = near === undefined ? '' : ` Did you mean "${near}"?`;
  const all = known.length > 0 ? `It has ${known.join(', ')}.` : 'It has none.';
  return `${where}: there is no "${member.slice(0, 80)}".${meant} ${all}`;
}
