/** Pure: as `application/x-www-form-urlencoded` has one value. */
export const formEncoded = (text: string): string => new URLSearchParams({ _: text }).toString().slice("_=".length);
