# Reads the rules and polls the plant's lines.
cat /srv/rules.txt
while true; do
	for line in $(seq "${LINES:-1}"); do echo "line $line: ok"; done
	sleep 10
done
