package encoding

func eucKRStep(d *decoder, b byte) {
	first := d.state[lead]
	if first == 0 {
		d.begin(b, isLead(b))
		return
	}
	pointer := -1
	if b >= 0x41 && b <= 0xFE {
		pointer = (int(first)-0x81)*190 + int(b) - 0x41
	}
	d.double(eucKRIndex().at(pointer), b)
}

func eucKRBytes(pointer int) []byte {
	return []byte{byte(pointer/190) + 0x81, byte(pointer%190) + 0x41}
}
