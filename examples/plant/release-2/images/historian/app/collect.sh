# Writes one line of measurements each half minute.
while true; do
	echo "$(date +%s) $RANDOM" >> /srv/history/measurements
	sleep 30
done
